package asr

import (
	"errors"
	"sync"
)

// An engine that dies is started again and gets what it died over alone, this
// often; then the utterance is set aside.
const maxTries = 3

// After this many deaths with no transcript in between, the engine itself is the
// likelier cause. The run goes on all the same, because nobody can tell a broken
// engine from a folder of broken recordings; but each gets one try only.
const maxDeaths = 5 * maxTries

// health counts the deaths of the engine since its last transcript.
type health struct {
	mu     sync.Mutex
	deaths int
}

func (h *health) worked() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deaths = 0
}

// died gives how often an utterance may kill the engine, or says that there is
// no use in starting it again.
func (h *health) died(err error) (tries int, hopeless bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deaths++
	dead, ok := errors.AsType[*EngineError](err)
	if h.deaths > maxDeaths {
		return 1, ok && dead.Fatal
	}
	return maxTries, ok && dead.Fatal
}
