package nemo

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/holdfast-go/holdfast/asr"
)

// settings are the lines of a model's configuration that decide how it is
// called.
type settings struct {
	class  string // "EncDecRNNTBPEModel"
	prompt string // "canary2"; "": none
}

// sampleRate is that of every utterance, in Hz.
const sampleRate = "16000"

// parseSettings looks at the outermost lines of a YAML file, as omegaconf
// writes it; what is indented belongs to a part of the model.
func parseSettings(config []byte) (settings, error) {
	var s settings
	rate := sampleRate
	lines := bufio.NewScanner(bytes.NewReader(config))
	lines.Buffer(nil, maxConfig)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.Trim(strings.TrimSpace(value), `'"`)
		switch name {
		case "target":
			s.class = value[strings.LastIndexByte(value, '.')+1:]
		case "prompt_format":
			s.prompt = value
		case "sample_rate":
			rate = value
		}
	}
	switch {
	case lines.Err() != nil:
		return s, fmt.Errorf("%w: %s: %w", asr.ErrBadModel, configName, lines.Err())
	case s.class == "":
		return s, fmt.Errorf("%w: %s names no class (target)", asr.ErrBadModel, configName)
	case rate != sampleRate:
		return s, fmt.Errorf("%w: it hears audio of %s Hz, and utterances have %s Hz", asr.ErrBadModel, rate, sampleRate)
	}
	return s, nil
}

// attentionDecoder tells whether the model is of Canary's kind.
func (s settings) attentionDecoder() bool { return s.class == "EncDecMultiTaskModel" }

// asksForLanguage tells whether the model takes a target language and nothing
// else (nemo/collections/asr/models/rnnt_bpe_models_prompt.py).
func (s settings) asksForLanguage() bool { return strings.HasSuffix(s.class, "WithPrompt") }

// maxAudio is the longest recording that a model bears. Canary was trained on
// stretches of up to 40 s and loses text beyond. The others pay with memory
// that grows with the square of the length: half a gigabyte at 5 minutes.
func (s settings) maxAudio() time.Duration {
	if s.attentionDecoder() {
		return 40 * time.Second
	}
	return 5 * time.Minute
}

// fields are those of a manifest's entry that go into the model's prompt: the
// slots in nemo/collections/common/prompts/canary.py and canary2.py.
func (s settings) fields() []string {
	switch {
	case s.asksForLanguage():
		return []string{"target_lang"}
	case !s.attentionDecoder():
		return nil
	case s.prompt == "canary":
		return []string{"source_lang", "target_lang", "task", "taskname", "pnc"}
	}
	return []string{"source_lang", "target_lang", "pnc", "itn", "diarize", "emotion", "decodercontext"}
}
