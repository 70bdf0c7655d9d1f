package nemo_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-go/holdfast/asr"
	"github.com/holdfast-go/holdfast/asr/nemo"
)

// TestKinds takes every kind of model through the adapter and through plain NeMo,
// which is given paths. Texts must be the same, and times may differ by 20 ms, a
// frame of the CTC models. The others have random weights: their texts are
// babble, but the same babble. All of it is done under Windows' rule, and then
// the kinds that NeMo reads files for by other code go through the failures: each
// start of NeMo takes 8 s and more, so that one serves for both.
func TestKinds(t *testing.T) {
	b := realNeMo(t)
	plain := windowsRule(t, b)
	for kind, class := range map[string]string{
		"ctc-bpe":    "EncDecCTCModelBPE",
		"ctc-char":   "EncDecCTCModel",
		"rnnt-bpe":   "EncDecRNNTBPEModel",
		"tdt-bpe":    "EncDecRNNTBPEModel",
		"hybrid-bpe": "EncDecHybridRNNTCTCBPEModel",
		"aed":        "EncDecMultiTaskModel",
	} {
		t.Run(kind, func(t *testing.T) {
			trained := kind == "ctc-bpe" || kind == "ctc-char"
			texts := sentences[:4]
			if kind != "aed" { // for which NeMo puts silence on both sides of its files, too
				texts = append(slices.Clone(texts), "hold") // 0.8 s
			}
			var about nemo.Worker
			model := b.model(t, kind)
			engine := b.open(t, nemo.Config{Model: model, Words: true, Batch: 2, Trace: nemo.Trace{Ready: func(w nemo.Worker) { about = w }}})
			batch, want := spoken(t, texts...)
			got := run(t.Context(), engine, batch...)
			require.NoError(t, got.err)
			require.Empty(t, got.failed)
			require.Len(t, got.texts, len(batch))
			require.Equal(t, class, about.Class)
			if trained {
				for _, u := range batch {
					require.Equal(t, want[u.ID], got.texts[u.ID])
				}
			}

			require.Empty(t, plain.ask(ask{Model: model}).Error)
			worst := time.Duration(0)
			words := 0
			for _, u := range batch {
				// One by one, so that neither side's batches decide.
				single := run(t.Context(), engine, u).got[u.ID]
				a := plain.ask(ask{Paths: []string{u.Path}, Batch: 1, Times: true})
				require.Empty(t, a.Error)
				require.Equal(t, a.Results[0].Text, single.Text)
				require.Len(t, single.Words, len(a.Results[0].Words))
				for i, w := range a.Results[0].Words {
					require.Equal(t, w.Text, single.Words[i].Text)
					for _, times := range [][2]time.Duration{{single.Words[i].Start, seconds(w.Start)}, {single.Words[i].End, seconds(w.End)}} {
						end := min(times[1], u.Duration) // we keep times inside the recording
						worst = max(worst, (times[0] - end).Abs())
						words++
					}
				}
			}
			t.Logf("%s: %d times, at most %v apart", about.Class, words, worst)
			require.LessOrEqual(t, worst, 20*time.Millisecond)

			switch {
			case trained:
				failureTable(t, kind, model, engine, plain)
			case kind == "aed":
				prompts(t, engine, batch)
				require.NoError(t, engine.Close())
				engine = b.open(t, nemo.Config{Model: model, Batch: 2}) // asked for times it would babble on for minutes
				failureTable(t, kind, model, engine, plain)
			}
		})
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// prompts has Canary transcribe one batch in which each utterance has a prompt of
// its own. That takes a manifest, and must say what each says alone.
func prompts(t *testing.T, engine *nemo.Transcriber, batch []asr.Utterance) {
	t.Helper()
	batch = append([]asr.Utterance(nil), batch[1:3]...)
	batch[1].Language = "de"
	together := run(t.Context(), engine, batch...)
	require.NoError(t, together.err)
	require.Empty(t, together.failed)
	for _, u := range batch {
		alone := run(t.Context(), engine, u)
		require.Equal(t, alone.texts[u.ID], together.texts[u.ID])
	}
	require.Equal(t, "en", together.got[batch[0].ID].Language)
	require.Equal(t, "de", together.got[batch[1].ID].Language)
}
