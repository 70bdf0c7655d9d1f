#!/usr/bin/env bash
# fuzz.sh [DURATION]: runs each fuzz target for a while, 30s if nothing is said; one target for each processor at a
# time. What it finds is kept as a seed in the package's testdata/fuzz: commit it with the fix.
set -euo pipefail
cd "$(dirname "$0")/.."
duration=${1:-30s}

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export duration logs
# Making inputs smaller, for which the default is a minute each, would take most of the time.
one() {
	local log=$logs/${2##*/}-$1
	if go test "./$2" -run '^$' -fuzz "^$1\$" -fuzztime "$duration" -parallel 1 -fuzzminimizetime 100x >"$log" 2>&1; then
		echo "$2 $1: $(grep -o 'execs: [0-9]*' "$log" | tail -1)"
	else
		echo "$2 $1: FAILED"
		cat "$log"
		return 1
	fi
}
export -f one

for dir in $(git ls-files --cached --others --exclude-standard '*_test.go' | xargs grep -l '^func Fuzz' | xargs -n1 dirname | sort -u); do
	grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | cut -c6- | sed "s|\$| $dir|"
done | xargs -P "$(getconf _NPROCESSORS_ONLN)" -n 2 bash -c 'one "$@"' one
