#!/usr/bin/env bash
# webui.sh ARTEFACTS: the web page in a real browser, and its interface for
# programs with OpenAI's own client. Screenshots and what the servers said are
# left in the folder ARTEFACTS. What it installs it keeps below CACHE, or in
# holdfast-ci in the user's cache directory.
#
# The real engine and its model are those of HOLDFAST_WHISPER_CLI and
# HOLDFAST_WHISPER_MODEL; without them examples/webui finds or fetches its own.
set -euo pipefail
artefacts=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")/.."
cache=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/holdfast-ci}/webui
mkdir -p "$cache"

playwright=1.65.1 axe=4.14.1 openai=3.57.0

if ! command -v chromium >/dev/null || ! command -v node >/dev/null || ! command -v npm >/dev/null || ! fc-list | grep -q Inter; then
	apt-get -qq update
	missing=(chromium fonts-inter fonts-noto-color-emoji)
	command -v node >/dev/null || missing+=(nodejs)
	command -v npm >/dev/null || missing+=(npm)
	apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
fi
if [ ! -e "$cache/node-$playwright-$axe/done" ]; then
	npm install --silent --no-audit --no-fund --prefix "$cache/node-$playwright-$axe" "playwright-core@$playwright" "axe-core@$axe"
	touch "$cache/node-$playwright-$axe/done"
fi
if [ ! -e "$cache/python-$openai/done" ]; then
	python3 -m venv "$cache/python-$openai"
	"$cache/python-$openai/bin/pip" install --quiet --disable-pip-version-check "openai==$openai"
	touch "$cache/python-$openai/done"
fi

# The program, and the same with the scripted engine of its tests.
go build -o "$cache/webui" ./examples/webui
go test -c -o "$cache/webui-scripted" ./examples/webui

export WEBUI_REAL=$cache/webui WEBUI_SCRIPTED=$cache/webui-scripted
export WEBUI_MODULES=$cache/node-$playwright-$axe/ WEBUI_PYTHON=$cache/python-$openai/bin/python
export WEBUI_ARTEFACTS=$artefacts WEBUI_SAMPLE=$PWD/examples/transcribe/sample.wav
for file in ${WEBUI_ONLY:-hazards jobs reading real shots}; do
	node --test --test-reporter=spec --test-timeout=900000 ".ci/webui/$file.mjs"
done
