#!/bin/sh
# wine.sh VERSION DIR: puts Wine into DIR, with a wrapper that `go test` finds by itself:
#
#   .ci/wine.sh 10 DIR
#   PATH=DIR:$PATH GOOS=windows CGO_ENABLED=0 go test ./...
#
# VERSION 10 is that of Debian 13. VERSION 8, of Debian 12, has no POSIX deletion, as FAT and old network shares have
# none: os.RemoveAll and with it t.TempDir fail under it.
#
# For Debian 12 and 13 on amd64. The packages are unpacked into DIR with their own libc; of the system nothing is
# changed but that patchelf is installed where it is missing. The mirror is the one that the system's apt uses. It
# takes half a minute and 0.8 GB; a second call does nothing.
set -eu
case ${1-} in
10) suite=trixie ;;
8) suite=bookworm ;;
*)
	echo "usage: $0 10|8 DIR" >&2
	exit 2
	;;
esac
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$2"
D=$(cd "$2" && pwd)
exec 9>"$D/.lock"
flock 9 # another lane may be at it
[ -e "$D/ready" ] && exit 0

sources=/etc/apt/sources.list.d/debian.sources
[ -r $sources ] || { echo "wine.sh: needs $sources, as Debian 12 and 13 have it" >&2; exit 1; }
for tool in apt-get dpkg-deb flock; do
	command -v $tool >/dev/null || { echo "wine.sh: needs $tool" >&2; exit 1; }
done
command -v patchelf >/dev/null || {
	apt-get -qq update
	apt-get install -qq -y --no-install-recommends patchelf >/dev/null
}

# An apt state of its own, so that the system's configuration stays as it is.
rm -rf "$D/apt" "$D/deb" "$D/root" "$D/prefix"
mkdir -p "$D/apt/lists/partial" "$D/deb" "$D/root"
awk -v suite=$suite 'BEGIN { RS = ""; ORS = "\n\n" }
	sub(/(bookworm bookworm|trixie trixie)-updates/, suite)' $sources >"$D/apt/wine.sources"
opt="-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$D/apt -o Dir::State::lists=$D/apt/lists
	-o Dir::State::status=/dev/null -o Acquire::Languages=none -o APT::Sandbox::User=root"
apt-get $opt -qq update
(cd "$D/deb" && apt-get $opt -qq download libwine wine64 libc6 libunwind8 liblzma5 libgcc-s1 libz-mingw-w64)
for deb in "$D"/deb/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$D/root" --exclude='./usr/share/doc' --exclude='./usr/share/man' \
		--exclude='./usr/share/locale' --exclude='./usr/i686*'
done
rm -r "$D/deb" "$D/apt"

R=$D/root/usr
L=$R/lib/x86_64-linux-gnu
if [ -d "$D/root/lib" ]; then # Debian 12 still has packages with /lib apart from /usr/lib
	cp -a "$D/root/lib/." "$R/lib/"
	rm -r "$D/root/lib"
fi
mv "$R/lib/wine/wineserver64" "$R/lib/wine/wineserver" # the packaged wineserver is a script with fixed paths
for f in wine64 wineserver; do
	patchelf --set-interpreter "$L/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$L" "$R/lib/wine/$f"
done
ln -s . "$R/share/wine/wine" # this build looks for its data in share/wine/wine, or in the system's own share/wine
# user32 of this build needs zlib1.dll; without it kernel32 is "not found".
mkdir -p "$D/prefix/drive_c/windows/system32"
cp "$R/x86_64-w64-mingw32/lib/zlib1.dll" "$D/prefix/drive_c/windows/system32/"

# Go needs bcryptprimitives.dll, which Wine has since version 9.
[ $1 != 8 ] || (cd "$here" && GOOS= GOARCH= go run mkshim.go "$D/prefix/drive_c/windows/system32/bcryptprimitives.dll")

cat >"$D/go_windows_amd64_exec" <<X
#!/bin/sh
export LC_ALL=C.UTF-8 # else Wine cannot make names beyond ASCII
export WINEPREFIX="$D/prefix" WINEDEBUG=\${WINEDEBUG:--all} WINEDLLOVERRIDES='mscoree,mshtml='
exec "$R/lib/wine/wine64" "\$@"
X
chmod +x "$D/go_windows_amd64_exec"
timeout 300 "$D/go_windows_amd64_exec" wineboot -i >"$D/wineboot.log" 2>&1 9>&- || {
	echo "wine.sh: wineboot failed:" >&2
	cat "$D/wineboot.log" >&2
	exit 1
}
WINEPREFIX=$D/prefix timeout 60 "$R/lib/wine/wineserver" -w 9>&-
touch "$D/ready"
