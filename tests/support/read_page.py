"""Reads a published page with parsers of the standard library and PyYAML; prints JSON.

read_page.py front FILE   the front matter's values
read_page.py html FILE    the text, the tags, and the addresses and attributes of a page of HTML
"""

import json
import sys
from html.parser import HTMLParser


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.text, self.tags, self.addresses, self.attributes = [], set(), set(), set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("href", "src"):
                self.addresses.add(value)

    def handle_data(self, data):
        self.text.append(data)


def front(text):
    mark = text[:3]
    source = text[4:].split("\n" + mark + "\n", 1)[0] + "\n"
    if mark == "+++":
        import tomllib

        return tomllib.loads(source)
    import yaml

    return yaml.safe_load(source)


mode, path = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    text = file.read()
if mode == "front":
    print(json.dumps(front(text), default=str))
else:
    page = Page()
    page.feed(text)
    page.close()
    words = " ".join("".join(page.text).split())
    found = {"tags": page.tags, "addresses": page.addresses, "attributes": page.attributes}
    print(json.dumps({"text": words} | {name: sorted(all) for name, all in found.items()}))
