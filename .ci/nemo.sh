#!/bin/sh
# nemo.sh DIR: puts a Python with NVIDIA NeMo 3.0.0 and small models of each of
# its kinds into DIR, and prints what the tests need to find them:
#
#   eval "$(.ci/nemo.sh DIR)"
#   go test ./asr/nemo
#
# For Linux on x86-64 with Python 3.11 and gcc. All on the CPU: 2.4 GB and one
# and a half minutes, of which 40 s train models. A second call does nothing.
set -eu
[ $# = 1 ] || {
	echo "usage: $0 DIR" >&2
	exit 2
}
from=$(cd "$(dirname "$0")/../asr/nemo/testdata/env" && pwd)
mkdir -p "$1"
D=$(cd "$1" && pwd)
exec 9>"$D/.lock"
flock 9 # another lane may be at it

if [ ! -e "$D/ready" ]; then
	for tool in python3.11 gcc readelf flock; do
		command -v $tool >/dev/null || {
			echo "nemo.sh: needs $tool" >&2
			exit 1
		}
	done
	export PYTHONDONTWRITEBYTECODE=1
	{
		if [ ! -e "$D/venv" ]; then
			rm -rf "$D/making"
			python3.11 -m venv "$D/making"
			"$D/making/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
				--require-hashes -r "$from/requirements.txt"
			"$D/making/bin/python" "$from/cuda_stubs.py" "$D"/making/lib/python3.11/site-packages/torch/lib
			mv "$D/making" "$D/venv"
		fi
		"$D/venv/bin/python" "$from/make_models.py" "$D/models"
		touch "$D/ready"
	} >&2
fi
echo "export HOLDFAST_NEMO_PYTHON=$D/venv/bin/python HOLDFAST_NEMO_MODELS=$D/models"
