#!/bin/sh
# Builds and installs uro-capture from this checkout, and makes the first capture. See --help.
set -eu

usage() {
    cat <<'EOF'
Builds uro-capture and uro-hook, installs them, and captures the newest commit of this checkout.

usage: ./install.sh [--prefix DIR] [--yes] [--dry-run]
       ./install.sh --uninstall [--prefix DIR] [--dry-run]

  --prefix DIR   install into DIR/bin (default: ~/.local/bin)
  --yes          install a missing C compiler through the system's packages, with sudo if need be
  --dry-run      list every file that would be written (or removed), and do nothing
  --uninstall    stop the sidecar and remove exactly what an installation wrote
EOF
}

say() { printf '%s\n' "$*"; }

# fail WHAT [HINT]
fail() {
    printf 'error: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2
    exit 1
}

usage_error() {
    printf 'error: %s\n' "$1" >&2
    usage >&2
    exit 2
}

prefix=
yes=false
dry_run=false
uninstall=false
while [ $# -gt 0 ]; do
    case $1 in
    --prefix)
        [ $# -ge 2 ] || usage_error "--prefix needs a directory"
        prefix=$2
        shift
        ;;
    --prefix=*) prefix=${1#--prefix=} ;;
    --yes | -y) yes=true ;;
    --dry-run) dry_run=true ;;
    --uninstall) uninstall=true ;;
    --help | -h)
        usage
        exit 0
        ;;
    *) usage_error "unknown option $1" ;;
    esac
    shift
done

source_dir=$(cd -- "$(dirname -- "$0")" && pwd)
if [ -z "$prefix" ]; then
    [ -n "${HOME:-}" ] || fail "HOME is not set, so there is no ~/.local" "./install.sh --prefix DIR"
    prefix=$HOME/.local
fi
case $prefix in
/*) ;;
*) prefix=$PWD/$prefix ;;
esac
prefix=${prefix%/}
bin=$prefix/bin
manifest=$prefix/share/uro-capture/manifest
programs="uro-capture uro-hook"

# ---------------------------------------------------------------- what a build needs

need_cargo() {
    if ! command -v cargo >/dev/null 2>&1; then
        PATH=$PATH:${CARGO_HOME:-${HOME:-}/.cargo}/bin
        export PATH
    fi
    command -v cargo >/dev/null 2>&1 || fail "cargo was not found: a Rust toolchain is needed to build" \
        "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
    needed=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$source_dir/Cargo.toml")
    # In the checkout: a toolchain may be chosen per directory.
    found=$(cd "$source_dir" && cargo --version 2>/dev/null | sed -n 's/^cargo \([0-9.]*\).*/\1/p')
    [ -n "$found" ] || fail "cargo is there and does not run" "rustup default stable"
    oldest=$(printf '%s\n%s\n' "$needed" "$found" | sort -t . -k 1,1n -k 2,2n -k 3,3n | sed -n 1p)
    [ "$oldest" = "$needed" ] || fail "Rust $needed or newer is needed, and this is $found" "rustup update stable"
}

# A compiler without the C library's headers is none.
has_compiler() {
    scratch=$(mktemp -d)
    printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' >"$scratch/try.c"
    result=1
    # shellcheck disable=SC2086 # CC may hold a wrapper and flags, as in "ccache gcc"
    ${CC:-cc} -o "$scratch/try" "$scratch/try.c" >/dev/null 2>&1 && result=0
    rm -rf "$scratch"
    return $result
}

# The command that installs one here, or nothing.
compiler_command() {
    if command -v apt-get >/dev/null 2>&1; then
        say "apt-get update && apt-get install -y gcc libc6-dev"
    elif command -v dnf >/dev/null 2>&1; then
        say "dnf install -y gcc glibc-devel"
    elif command -v pacman >/dev/null 2>&1; then
        say "pacman -Sy --noconfirm --needed gcc"
    fi
}

need_compiler() {
    if has_compiler; then
        return
    fi
    if [ "$(uname -s)" = Darwin ]; then
        fail "no C compiler was found" "xcode-select --install"
    fi
    install_it=$(compiler_command)
    [ -n "$install_it" ] || fail "no C compiler was found" "install gcc or clang and the C library's headers"
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif $yes && command -v sudo >/dev/null 2>&1; then
        as_root=sudo
    else
        fail "no C compiler was found" "sudo sh -c '$install_it', or run ./install.sh --yes"
    fi
    say "installing a C compiler: $install_it" >&2
    DEBIAN_FRONTEND=noninteractive $as_root sh -c "$install_it" >&2 || fail "installing a C compiler failed"
    has_compiler || fail "the C compiler was installed and does not work"
}

target_dir() {
    answer=$(cd "$source_dir" && cargo metadata --no-deps --offline --format-version 1 2>/dev/null |
        sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
    say "${answer:-$source_dir/target}"
}

# ---------------------------------------------------------------- writing, and remembering it

# Makes a directory and lists those that were missing, outermost first.
make_dir() {
    [ -d "$1" ] && return
    make_dir "$(dirname -- "$1")"
    mkdir "$1"
    say "dir $1"
}

missing_dirs() {
    [ -d "$1" ] && return
    missing_dirs "$(dirname -- "$1")"
    say "$1/"
}

# Over a running program only by renaming, so that no process sees half of it.
put() {
    if ! cmp -s "$1" "$2"; then
        cp "$1" "$2.new" && chmod 755 "$2.new" && mv -f "$2.new" "$2" || return 1
    fi
    say "file $2"
}

install_programs() {
    built=$1
    if [ -x "$bin/uro-capture" ] && ! cmp -s "$built/uro-capture" "$bin/uro-capture"; then
        # The next hook or command starts the new one.
        "$bin/uro-capture" sidecar stop >/dev/null 2>&1 || :
    fi
    made=$(make_dir "$bin" && make_dir "$(dirname -- "$manifest")")
    kept=$(sed -n '/^dir /p' "$manifest" 2>/dev/null || :)
    wrote=$(for program in $programs; do put "$built/$program" "$bin/$program" || exit 1; done)
    {
        say "# What install.sh wrote, for install.sh --uninstall"
        printf '%s\n%s\n%s\n' "$kept" "$made" "$wrote" | sed '/^$/d'
        say "file $manifest"
    } >"$manifest.new"
    mv -f "$manifest.new" "$manifest"
}

# ---------------------------------------------------------------- the places of what people make with it

data_places() {
    if [ -n "${URO_HOME:-}" ]; then
        say "$URO_HOME/data/"
        say "$URO_HOME/state/"
        return
    fi
    say "${XDG_DATA_HOME:-${HOME:-}/.local/share}/uroboro/"
    say "${XDG_STATE_HOME:-${HOME:-}/.local/state}/uroboro/"
}

config_place() {
    if [ -n "${URO_HOME:-}" ]; then say "$URO_HOME/config/"; else say "${XDG_CONFIG_HOME:-${HOME:-}/.config}/uroboro/"; fi
}

# ---------------------------------------------------------------- the three things it does

list_writes() {
    say "$(target_dir)/"
    missing_dirs "$bin"
    for program in $programs; do say "$bin/$program"; done
    missing_dirs "$(dirname -- "$manifest")"
    say "$manifest"
    data_places
}

do_install() {
    if $dry_run; then
        list_writes | awk '!seen[$0]++'
        return
    fi
    need_cargo
    need_compiler
    built=$(target_dir)/${CARGO_BUILD_TARGET:+$CARGO_BUILD_TARGET/}release
    (cd "$source_dir" && cargo build --release --locked --bin uro-capture --bin uro-hook) ||
        fail "the build failed; what cargo said is above"
    install_programs "$built"
    say "installed $bin/uro-capture and $bin/uro-hook"
    case :${PATH:-}: in
    *:"$bin":*) ;;
    *) say "$bin is not on your PATH; this line in your shell's start-up file adds it:" && say "  export PATH=\"$bin:\$PATH\"" ;;
    esac
    first_capture
}

first_capture() {
    if ! command -v git >/dev/null 2>&1 || ! git -C "$source_dir" rev-parse --git-dir >/dev/null 2>&1; then
        say "$source_dir is no repository that git can read; run \`uro-capture\` in one for a first capture"
    elif ! git -C "$source_dir" rev-parse -q --verify HEAD >/dev/null 2>&1; then
        say "$source_dir has no commits yet; run \`uro-capture\` in a repository that has one for a first capture"
    else
        say "the first capture, of the newest commit here:"
        (cd "$source_dir" && "$bin/uro-capture") || fail "it is installed, but the first capture failed" "$bin/uro-capture doctor"
        say "next, in a repository of yours: uro-capture init"
    fi
}

# The service, if `uro-capture sidecar install` made the sidecar one. Tells what it removes.
remove_service() {
    [ ! -x "$bin/uro-capture" ] || "$bin/uro-capture" sidecar uninstall "$@" 2>/dev/null || :
}

do_uninstall() {
    if [ ! -f "$manifest" ]; then
        say "nothing is installed under $prefix (there is no $manifest)"
        return
    fi
    if $dry_run; then
        remove_service --dry-run | sed -n '/^\//p'
        sed -n 's/^file //p; s/^dir \(.*\)/\1\//p' "$manifest"
        return
    fi
    remove_service | sed -n '/^removed /p'
    [ ! -x "$bin/uro-capture" ] || "$bin/uro-capture" sidecar stop >/dev/null 2>&1 || :
    listed=$(cat "$manifest")
    printf '%s\n' "$listed" | sed -n 's/^file //p' | while IFS= read -r path; do
        case $path in "$prefix"/*) rm -f -- "$path" ;; esac
    done
    # Innermost first; a directory with other files stays.
    printf '%s\n' "$listed" | sed -n 's/^dir //p' | awk '{ line[NR] = $0 } END { for (i = NR; i; i--) print line[i] }' |
        while IFS= read -r path; do rmdir -- "$path" 2>/dev/null || :; done
    say "removed what was installed under $prefix"
    say "any hooks that \`uro-capture init\` put into repositories do nothing without it"
    { data_places && config_place; } | while IFS= read -r place; do
        [ ! -d "$place" ] || say "your data stays: $place"
    done
}

if $uninstall; then do_uninstall; else do_install; fi
