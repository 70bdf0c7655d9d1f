#!/usr/bin/env bash
# tools.sh: what the compiler does not see. staticcheck for all three systems, known vulnerabilities, and changes to the
# API since the last release. The tools are pinned in internal/tools/go.mod, and the Go that they look at too: an older
# one may be installed, with vulnerabilities that are known.
set -euo pipefail
cd "$(dirname "$0")/.."
GOTOOLCHAIN=$(GOTOOLCHAIN=auto GOWORK=off go -C internal/tools env GOVERSION)
export GOTOOLCHAIN

cache=${XDG_CACHE_HOME:-$HOME/.cache}/holdfast-ci
bin=$cache/tools-$(cat internal/tools/go.mod internal/tools/go.sum | sha256sum | cut -c1-8)
mkdir -p "$bin"
GOWORK=off go build -C internal/tools -o "$bin/" tool

# The modules that are released; nested ones find the library by their go.work.
modules=$(git ls-files --cached --others --exclude-standard '*go.mod' | grep -v -e '^internal/tools/' -e /testdata/ | xargs -n1 dirname)

"$bin/actionlint"

for module in $modules; do
	echo "staticcheck: $module"
	(cd "$module" && "$bin/staticcheck" -matrix -checks all ./...) <<-'MATRIX'
		linux: GOOS=linux CGO_ENABLED=0
		windows: GOOS=windows CGO_ENABLED=0
		darwin: GOOS=darwin CGO_ENABLED=0
	MATRIX
done

# govulncheck asks its own server. Where that is out of reach the database is built from the module that it is made
# from, which is a few days behind.
vulncheck() { (cd "$1" && shift && "$bin/govulncheck" "$@" ./...); }
database=()
if out=$(vulncheck . 2>&1); then
	:
elif grep -q 'fetching vulnerabilities' <<<"$out"; then
	echo "govulncheck: no database within reach (${out##*: }); building it from golang.org/x/vulndb"
	source=$(GOWORK=off go mod download -json golang.org/x/vulndb@latest)
	version=$(sed -n 's/^\t"Version": "\(.*\)",$/\1/p' <<<"$source")
	dir=$(sed -n 's/^\t"Dir": "\(.*\)",$/\1/p' <<<"$source")
	db=$cache/vulndb-$version
	if [ ! -e "$db/index/db.json" ]; then
		GOWORK=off go run "golang.org/x/vulndb/cmd/indexdb@$version" -vulns "$dir/data/osv" -out "$db"
	fi
	echo "govulncheck: database $version"
	database=(-db "file://$db")
fi
for module in $modules; do
	for os in linux windows darwin; do
		echo "govulncheck: $module, $os"
		out=$(GOOS=$os CGO_ENABLED=0 vulncheck "$module" "${database[@]}") || { printf '%s\n' "$out"; exit 1; }
	done
done

# Before version 1 an incompatible change is allowed, and shown; from then on it is an error.
if last=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null); then
	old=$(mktemp -d)
	trap 'git worktree remove --force "$old/tree"; rm -rf "$old"' EXIT
	git worktree add --quiet --detach "$old/tree" "$last"
	name=$(GOWORK=off go list -m)
	apidiff() { GOWORK=off "$bin/apidiff" -m "$@" 2> >(grep -v '^Ignoring internal package' >&2); }
	(cd "$old/tree" && apidiff -w "$old/api" "$name")
	echo "apidiff: since $last"
	broken=$(apidiff -incompatible "$old/api" "$name")
	printf '%s\n' "${broken:-nothing incompatible}"
	case $last in
	v0.*) ;;
	*) [ -z "$broken" ] ;;
	esac
else
	echo "apidiff: skipped, there is no release to compare with"
fi
