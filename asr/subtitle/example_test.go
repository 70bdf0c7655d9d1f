package subtitle_test

import (
	"fmt"
	"os"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/subtitle"
)

// Each format is also the extension of its file.
func ExampleParse() {
	formats, err := subtitle.Parse("vtt,txt")
	if err != nil {
		panic(err)
	}
	t := asr.Transcript{Segments: []asr.Segment{
		{Start: 0, End: 1500 * time.Millisecond, Text: "Say <b>hello</b> -->"},
		{Start: 1500 * time.Millisecond, End: 3 * time.Second, Text: "and\n\ngoodbye."},
	}}
	for _, f := range formats {
		fmt.Printf("== talk.%s\n", f)
		if err := subtitle.Write(os.Stdout, f, t); err != nil {
			panic(err)
		}
	}
	_, err = subtitle.Parse("doc")
	fmt.Println(err)
	// Output:
	// == talk.vtt
	// WEBVTT
	//
	// 00:00:00.000 --> 00:00:01.500
	// Say &lt;b&gt;hello&lt;/b&gt; --&gt;
	//
	// 00:00:01.500 --> 00:00:03.000
	// and goodbye.
	//
	// == talk.txt
	// Say <b>hello</b> -->
	// and goodbye.
	// unknown format "doc"; there are txt, srt, vtt, tsv, json and ctm
}
