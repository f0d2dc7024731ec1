#!/usr/bin/env bash
# Puts the tools that write git hooks below DIR, for the tests that live beside them. What this machine cannot
# get is named and left out: its tests then say that they are skipped.
#   tests/support/hook_managers.sh DIR PYTHON
set -euo pipefail
dir=$1
python=$2
lefthook=2.2.2
pre_commit=4.7.0
husky=9.1.7

have() { command -v "$1" >/dev/null 2>&1; }
left_out() { echo "left out: $1 ($2)" >&2; }

mkdir -p "$dir/bin"
venv=$(cd "$(dirname "$python")" && pwd)
# Without a word to any server where these very versions are there already.
if "$python" -m pip install -q --disable-pip-version-check "lefthook==$lefthook" "pre-commit==$pre_commit"; then
  ln -sfn "$venv/lefthook" "$dir/bin/lefthook"
  ln -sfn "$venv/pre-commit" "$dir/bin/pre-commit"
else
  left_out "lefthook and pre-commit" "pip could not install them"
fi

if ! grep -qs "\"version\": \"$husky\"" "$dir/node_modules/husky/package.json"; then
  if ! have npm; then
    left_out husky "there is no npm"
  elif ! npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$dir" "husky@$husky"; then
    left_out husky "npm could not install it"
  fi
fi

# The package's program alone: nothing is installed into the system.
fetch_git_lfs() {
  local scratch rc=0
  scratch=$(mktemp -d)
  chmod 755 "$scratch"
  (
    cd "$scratch"
    apt-get download -qq git-lfs 2>/dev/null || {
      [ "$(id -u)" = 0 ] && apt-get update -qq && apt-get download -qq git-lfs 2>/dev/null
    }
    dpkg-deb -x git-lfs_*.deb .
  ) && install -m 755 "$scratch/usr/bin/git-lfs" "$dir/bin/git-lfs" || rc=$?
  rm -rf "$scratch"
  return "$rc"
}
if [ ! -x "$dir/bin/git-lfs" ]; then
  if have git-lfs; then
    ln -sfn "$(command -v git-lfs)" "$dir/bin/git-lfs"
  elif ! { have apt-get && have dpkg-deb && fetch_git_lfs; }; then
    left_out git-lfs "no package of it could be fetched"
  fi
fi
