#!/usr/bin/env bash
# subtitles.sh DIR: makes DIR/venv/bin/python, which has the readers of subtitles that
# the tests ask for a second opinion:
#
#   .ci/subtitles.sh DIR
#   HOLDFAST_SUBTITLE_PYTHON=DIR/venv/bin/python go test ./asr/subtitle
#
# It needs Python with venv and pip. A second call does nothing.
set -euo pipefail
mkdir -p "$1"
dir=$(cd "$1" && pwd)
exec 9>"$dir/.lock"
flock 9 # another lane may be at it
ready=$dir/ready-$(sha256sum "$0" | cut -c1-16)
[ -e "$ready" ] && exit 0
rm -f "$dir"/ready-*
python3 -m venv --clear "$dir/venv"
cat >"$dir/requirements.txt" <<'END'
srt==3.5.3 --hash=sha256:4884315043a4f0740fd1f878ed6caa376ac06d70e135f306a6dc44632eed0cc0
webvtt-py==0.6.0 --hash=sha256:9f158d5045c7302293bd773ad1e6a9d3c109350a91e07d9fa3b34f54fb0ece00
END
"$dir/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$dir/requirements.txt"
: >"$ready"
