package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"slices"
)

// playWhisper is a whisper.cpp that hears the number in the first sample.
func playWhisper(args []string) int {
	if slices.Contains(args, "--help") {
		fmt.Println("usage: whisper-cli -m -f -of -ojf -l -bs -bo -t")
		return 0
	}
	value := func(name string) string { return args[slices.Index(args, name)+1] }
	b, err := os.ReadFile(value("-f"))
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: failed to read audio file '%s'\n", value("-f"))
		return 0
	}
	text := fmt.Sprintf(" number %d", binary.LittleEndian.Uint16(b[44:]))
	out := fmt.Appendf(nil, `{"model": {"vocab": 51865}, "result": {"language": "en"}, "transcription": [
		{"offsets": {"from": 0, "to": 30000}, "text": "%s", "tokens": []}]}`, text)
	if err := os.WriteFile(value("-of")+".json", out, 0o600); err != nil {
		fmt.Fprintf(os.Stderr, "open: failed to open '%s' for writing\n", value("-of"))
	}
	return 0
}
