package subtitle

import (
	"bufio"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/holdfast-go/holdfast/asr"
)

// writeCTM writes "file channel start duration word confidence". The start is
// measured from the start of the file (NIST SCTK, doc/infmts.htm), not of the
// stretch that was transcribed. White space separates the fields, so the
// recording's name gets underscores instead.
func writeCTM(w *bufio.Writer, t asr.Transcript) error {
	if len(t.Words) == 0 && t.Text != "" {
		return ErrNoWords
	}
	base := filepath.Base(t.Source.AudioPath)
	name := strings.ReplaceAll(oneLine(strings.TrimSuffix(base, filepath.Ext(base))), " ", "_")
	if name == "" || strings.HasPrefix(name, ";;") { // a comment in CTM
		name = "_" + name
	}
	for _, word := range t.Words {
		text := strings.ReplaceAll(oneLine(word.Text), " ", "_")
		if text == "" {
			continue
		}
		from, to := span(word.Start, word.End)
		start := max(0, t.Source.Offset.Seconds()) + from.Seconds()
		fmt.Fprintf(w, "%s 1 %.3f %.3f %s", name, start, (to - from).Seconds(), text)
		if c := confidence(word); c > 0 {
			fmt.Fprintf(w, " %.3f", c)
		}
		fmt.Fprintln(w)
	}
	return nil
}
