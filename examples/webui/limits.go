package main

import "time"

// limits are what keeps strangers' requests, and mistakes, small. A zero one
// has its default.
type limits struct {
	upload  int64         // bytes of a recording; 0: 4 GiB
	free    int64         // bytes of disk that stay free
	uploads int           // at a time; 0: 8
	streams int           // at a time; 0: 64
	jobs    int           // that one browser may have; 0: 500
	window  time.Duration // in which a client has to bring or take some bytes; 0: 30 s
	pace    int64         // that many bytes; 0: 16 KiB

	heartbeat time.Duration // how often a stream says that it is there; 0: 15 s
}

func (l limits) complete() limits {
	for _, d := range []struct {
		field *int
		value int
	}{{&l.uploads, 8}, {&l.streams, 64}, {&l.jobs, 500}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if l.upload == 0 {
		l.upload = 4 << 30
	}
	if l.window == 0 {
		l.window = 30 * time.Second
	}
	if l.heartbeat == 0 {
		l.heartbeat = 15 * time.Second
	}
	if l.pace == 0 {
		l.pace = 16 << 10
	}
	return l
}

// slots limits how many do something at a time.
type slots chan struct{}

// take gets a slot if there is one.
func (s slots) take() (give func(), ok bool) {
	select {
	case s <- struct{}{}:
		return func() { <-s }, true
	default:
		return nil, false
	}
}
