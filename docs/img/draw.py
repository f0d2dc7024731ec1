"""Runs a command in a terminal of its own and draws what it prints as an SVG without scripts.

usage: draw.py FILE.svg COLUMNS COMMAND [ARGUMENT…]
"""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from itertools import groupby
from xml.sax.saxutils import escape

# What a terminal's escape sequences look like; only those that end in `m` change the style.
SEQUENCE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")
STYLES = {
    "1": "font-weight:bold", "2": "fill:#8b949e", "31": "fill:#ff7b72", "32": "fill:#7ee787",
    "33": "fill:#e3b341", "34": "fill:#79c0ff", "35": "fill:#d2a8ff", "36": "fill:#76e3ea",
}
CHARACTER, LINE, MARGIN = 8.43, 19, 16


def run(command, columns):
    """What the command prints in a terminal of that width."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(COLUMNS=str(columns), TERM="xterm-256color", PAGER="cat", GIT_PAGER="cat")
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    output = b""
    while True:
        try:
            read = os.read(terminal, 65536)
        except OSError:  # Linux ends a closed terminal with an error.
            break
        if not read:
            break
        output += read
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        sys.exit(f"{' '.join(command)} failed:\n{output.decode(errors='replace')}")
    return output.decode().replace("\r\n", "\n")


def spans(line):
    """The pieces of a line, each in its style."""
    style, at, pieces = [], 0, []
    for found in SEQUENCE.finditer(line):
        pieces.append((style, line[at : found.start()]))
        at = found.end()
        if found[2] == "m":
            codes = found[1].split(";")
            style = [] if codes in ([""], ["0"]) else style + [STYLES[code] for code in codes if code in STYLES]
    pieces.append((style, line[at:]))
    return [(";".join(style), text) for style, text in pieces if text]


def rows(line, columns):
    """The line in rows that fit, broken at spaces; each row in pieces of one style."""
    cells = [(style, character) for style, text in spans(line) for character in text]
    while len(cells) > columns:
        spaces = [at for at in range(columns + 1) if cells[at][1] == " "]
        end = spaces[-1] if spaces and spaces[-1] > 0 else columns
        yield joined(cells[:end])
        cells = cells[end + 1 if spaces else end :]
    yield joined(cells)


def joined(cells):
    """Neighbouring characters of one style, joined."""
    return [(style, "".join(text for _, text in group)) for style, group in groupby(cells, key=lambda cell: cell[0])]


def draw(title, output, columns):
    """The whole picture."""
    prompt = [("fill:#7ee787", "$ "), ("font-weight:bold", title)]
    lines = [prompt] + [row for line in output.split("\n") for row in rows(line, columns)]
    width, height = round(columns * CHARACTER + 2 * MARGIN), len(lines) * LINE + 2 * MARGIN - 4
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" role="img">',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" rx="8" fill="#0d1117"/>',
    ]
    for number, row in enumerate(lines):
        texts = "".join(f'<tspan style="{style}">{escape(text)}</tspan>' if style else escape(text)
                        for style, text in row)
        if texts:
            y = MARGIN + 12 + number * LINE
            out.append(f'<text x="{MARGIN}" y="{y}" fill="#e6edf3" xml:space="preserve">{texts}</text>')
    return "\n".join(out + ["</svg>", ""])


def main():
    file, columns, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    output = run(command, columns).rstrip("\n")
    with open(file, "w", encoding="utf-8") as picture:
        picture.write(draw(" ".join(command), output, columns))


main()
