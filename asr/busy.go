package asr

import "sync"

// busy knows what is with the engine, so that the same audio does not go there
// twice at a time.
type busy struct {
	mu   sync.Mutex
	keys map[string]chan struct{}
}

// until gives a channel that is closed when key is no longer busy; nil if it is
// not.
func (b *busy) until(key string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if done, ok := b.keys[key]; ok {
		return done
	}
	return nil
}

func (b *busy) begin(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.keys == nil {
		b.keys = make(map[string]chan struct{})
	}
	b.keys[key] = make(chan struct{})
}

func (b *busy) end(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if done, ok := b.keys[key]; ok {
		close(done)
		delete(b.keys, key)
	}
}
