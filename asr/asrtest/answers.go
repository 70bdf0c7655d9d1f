package asrtest

import (
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/retry"
)

func (s *suite) checkEngine(t *testing.T) {
	p := s.session
	for name, value := range map[string]string{"Name": p.about.Name, "Model": p.about.Model, "Fingerprint": p.about.Fingerprint} {
		if strings.TrimSpace(value) == "" {
			t.Errorf("Engine.%s is empty", name)
		}
	}
	if p.about.MaxBatch < 0 || p.about.MaxParallel < 0 || p.about.MaxAudio < 0 {
		t.Errorf("a limit is negative: %+v", p.about)
	}
	p.transcribe(t, p.utterances(t, silence(time.Second)))
	if again := p.engine.Engine(); !reflect.DeepEqual(again, p.about) {
		t.Errorf("Engine changed from %+v to %+v", p.about, again)
	}
}

// checkSilence: that nobody speaks is a result.
func (s *suite) checkSilence(t *testing.T) {
	p := s.session
	for _, one := range []sound{silence(300 * time.Millisecond), silence(2 * time.Second)} {
		t.Run(one.name, func(t *testing.T) { p.transcribe(t, p.utterances(t, one)) })
	}
}

// checkSpeech looks for texts that belong to another recording.
func (s *suite) checkSpeech(t *testing.T) {
	demand(t, len(s.speech) > 0, "Speech", s.harness.NoSpeech)
	p := s.session
	// The same recordings in both orders, silence between them, so that an answer
	// that slips by one is seen.
	var row []sound
	for _, clip := range s.speech {
		row = append(row, clip, sound{name: "silence after " + clip.name, samples: silence(time.Second).samples})
	}
	orders := [][]sound{row}
	if p.about.MaxBatch > 1 {
		back := slices.Clone(row)
		slices.Reverse(back)
		orders = append(orders, back)
	}
	for _, order := range orders {
		for part := range slices.Chunk(order, limit(p.about, len(order))) {
			c := p.transcribe(t, p.utterances(t, part...))
			s.spoken = append(s.spoken, c)
			for i, u := range c.batch {
				if answer, ok := c.transcripts[u.ID]; ok && part[i].text != "" {
					s.compare(t, c.name(i), part[i].text, answer.Text)
				}
			}
		}
	}
}

func (s *suite) compare(t *testing.T, name, want, got string) {
	t.Helper()
	errs := asr.CountErrors(plain(want), plain(got))
	if errs.WER() > s.harness.WER {
		t.Errorf("speech: %s: the text is %q, must be %q (WER %.0f %%, at most %.0f %% is allowed)",
			name, got, want, 100*errs.WER(), 100*s.harness.WER)
	}
}

func (s *suite) checkWords(t *testing.T) {
	demand(t, true, "Words", s.harness.NoWords)
	p := s.session
	calls := s.spoken
	if len(calls) == 0 {
		sounds := s.speech
		if len(sounds) == 0 {
			sounds = []sound{tone(440, 3*time.Second)}
		}
		for part := range slices.Chunk(sounds, limit(p.about, len(sounds))) {
			calls = append(calls, p.transcribe(t, p.utterances(t, part...)))
		}
	}
	spoken := false
	for _, c := range calls {
		for i, u := range c.batch {
			answer := c.transcripts[u.ID]
			if letters(answer.Text) == "" {
				continue
			}
			spoken = true
			joined := ""
			for _, w := range answer.Words {
				joined += w.Text
			}
			if letters(joined) != letters(answer.Text) {
				t.Errorf("words: %s: the words are %q, but the text is %q", c.name(i), joined, answer.Text)
			}
		}
	}
	if !spoken {
		t.Error("words: no recording gave any text; give Harness.Speech, or say in NoWords why not")
	}
}

// checkBatch wants an answer for each utterance of a full batch, and none for
// an empty one.
func (s *suite) checkBatch(t *testing.T) {
	p := s.session
	var sounds []sound
	for i := range limit(p.about, 32) {
		sounds = append(sounds, tone(300+20*i, time.Duration(500+100*(i*7%10))*time.Millisecond))
	}
	t.Logf("MaxBatch is %d: a call with %d", p.about.MaxBatch, len(sounds))
	batch := p.utterances(t, sounds...)
	p.transcribe(t, batch)
	p.transcribe(t, batch) // the same again, as after an interruption
	p.transcribe(t, nil)
}

// checkBadAudio wants damaged recordings to fail alone.
func (s *suite) checkBadAudio(t *testing.T) {
	p := s.session
	good := tone(440, 2*time.Second)
	whole := good.wav()
	bad := []struct {
		name    string
		content []byte // nil: no file
	}{
		{"missing", nil},
		{"empty", []byte{}},
		{"cut in the header", whole[:20]},
		{"truncated", whole[:len(whole)/2]},
		{"no samples", sound{}.wav()},
		{"text", []byte("This is no recording, whatever its name says.\n")},
		{"zero bytes", make([]byte, len(whole))},
	}
	for i, one := range bad {
		t.Run(one.name, func(t *testing.T) {
			damaged := p.utterance(t, sound{name: "bad " + one.name, samples: good.samples})
			damaged.Path = filepath.Join(p.scope.Path(), "bad-"+damaged.ID+".wav")
			if one.content != nil {
				if err := (retry.FS{}).WriteFile(t.Context(), damaged.Path, one.content); err != nil {
					t.Fatal(err)
				}
			}
			var batch []asr.Utterance
			for n := range limit(p.about, 3) - 1 {
				batch = append(batch, p.utterance(t, tone(500+100*n, time.Second)))
			}
			at := i % (len(batch) + 1)
			batch = slices.Insert(batch, at, damaged)

			c := p.start(t.Context(), batch, reaction{})
			c.wait(t)
			if c.err != nil {
				t.Errorf("bad audio: the recording ended the sequence: %v", c.err)
				return
			}
			c.answered(t)
			for n, u := range c.batch {
				if err := c.failures[u.ID]; err != nil && n != at {
					t.Errorf("bad audio: %s is whole and failed with the damaged one: %v", c.name(n), err)
				}
			}
			switch err := c.failures[damaged.ID]; {
			case err == nil:
				t.Errorf("bad audio: the engine made the text %q of it; asr.Inspect finds such files", c.transcripts[damaged.ID].Text)
			case one.content != nil && !errors.Is(err, asr.ErrBadAudio):
				t.Errorf("bad audio: the error is not asr.ErrBadAudio: %v", err)
			}
		})
	}
	p.transcribe(t, p.utterances(t, good))
}

// checkNames opens the engine in a root with a name as people have them.
func (s *suite) checkNames(t *testing.T) {
	p := s.open(t, "Ann's Wörk & Co", s.harness.Open)
	for _, name := range []string{"-x.wav", "%d $HOME ~ Ann's (Work), [1] {2} #3;&.wav"} {
		u := p.utterance(t, tone(440, time.Second))
		u.Path = p.scope.Path(name)
		if err := (retry.FS{}).WriteFile(t.Context(), u.Path, tone(440, time.Second).wav()); err != nil {
			t.Fatal(err)
		}
		p.transcribe(t, []asr.Utterance{u})
	}
	if p.about.Fingerprint != s.session.about.Fingerprint {
		t.Errorf("fingerprint: opened again in another root, the engine has %q, must have %q, or no run is ever resumed",
			p.about.Fingerprint, s.session.about.Fingerprint)
	}
	p.close(t)
}

// checkOther: what may change a text changes the fingerprint.
func (s *suite) checkOther(t *testing.T) {
	demand(t, s.harness.Other != nil, "Other", s.harness.NoOther)
	p := s.open(t, "other", s.harness.Other)
	if p.about.Fingerprint == s.session.about.Fingerprint {
		t.Errorf("fingerprint: both engines have %q, so a run with one would take the texts of the other from its journal", p.about.Fingerprint)
	}
	p.close(t)
}
