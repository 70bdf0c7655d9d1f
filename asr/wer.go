package asr

import "strings"

// WordErrors counts how a hypothesis differs from a reference, in words.
type WordErrors struct {
	Sub, Ins, Del int // substituted, inserted, deleted words
	Ref           int // words of the reference
}

// WER is the word error rate, (Sub+Ins+Del)/Ref. It can exceed 1. Without a
// reference it is 0 for an empty hypothesis and 1 for any other.
func (e WordErrors) WER() float64 {
	n := e.Sub + e.Ins + e.Del
	switch {
	case e.Ref > 0:
		return float64(n) / float64(e.Ref)
	case n > 0:
		return 1
	}
	return 0
}

// CountErrors aligns two texts word by word with the fewest errors. Words are
// compared as they stand: normalise case and punctuation before, as the
// purpose demands.
func CountErrors(reference, hypothesis string) WordErrors {
	ref, hyp := strings.Fields(reference), strings.Fields(hypothesis)
	// row[j] is the best alignment of the words of ref so far with hyp[:j].
	row := make([]WordErrors, len(hyp)+1)
	for j := range row {
		row[j].Ins = j
	}
	for i, word := range ref {
		diagonal := row[0]
		row[0] = WordErrors{Del: i + 1}
		for j := range hyp {
			best := diagonal
			if word != hyp[j] {
				best.Sub++
			}
			if del := row[j+1]; del.total()+1 < best.total() {
				best = del
				best.Del++
			}
			if ins := row[j]; ins.total()+1 < best.total() {
				best = ins
				best.Ins++
			}
			diagonal, row[j+1] = row[j+1], best
		}
	}
	e := row[len(hyp)]
	e.Ref = len(ref)
	return e
}

func (e WordErrors) total() int { return e.Sub + e.Ins + e.Del }
