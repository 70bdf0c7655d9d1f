#!/usr/bin/env bash
# fuzz.sh [DURATION]: runs each fuzz target for a while, 30s if nothing is said. What it finds is kept as a seed in
# the package's testdata/fuzz: commit it with the fix.
set -euo pipefail
cd "$(dirname "$0")/.."
duration=${1:-30s}

failed=0
for dir in $(git ls-files --cached --others --exclude-standard '*_test.go' | xargs grep -l '^func Fuzz' | xargs -n1 dirname | sort -u); do
	for target in $(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | cut -c6-); do
		echo "== $dir $target"
		go test "./$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$duration" || failed=1
	done
done
exit $failed
