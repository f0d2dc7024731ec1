#!/usr/bin/env bash
# Draws the pictures of the documentation from real output: docs/img/make.sh GIN.git
# GIN.git is a clone of https://github.com/gin-gonic/gin (MIT); uro-capture is the first on PATH. No model is asked.
set -euo pipefail
images=$(cd "$(dirname "$0")" && pwd)
history=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch URO_HOME=$scratch/uro GIT_CONFIG_NOSYSTEM=1 LC_ALL=C.UTF-8 TZ=UTC
cd "$scratch"
git clone --quiet "$history" gin
cd gin
git remote set-url origin https://github.com/gin-gonic/gin
uro-capture --quiet commit --no-model 2e4d4f3896^..d9307dbcbb
python3 "$images/draw.py" "$images/log.svg" 100 uro-capture log -n 4
uro-capture --quiet draft new devlog --day 2026-06-22 >/dev/null
uro-capture --quiet draft run >/dev/null
draft=$(uro-capture draft list --json | python3 -c '
import json, sys
print(next(draft["id"][:18] for draft in json.load(sys.stdin) if draft["kind"] == "devlog"))')
python3 "$images/draw.py" "$images/devlog.svg" 100 uro-capture draft show "$draft"
