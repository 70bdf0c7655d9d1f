package embedded

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"time"
)

// watch starts the server anew when its store is out of order.
func (s *Server) watch(ctx context.Context) {
	defer close(s.ended)
	for {
		select {
		case <-ctx.Done():
			return
		case why := <-s.broken:
			s.log.Error("the store could not be written; starting the server anew", "err", why)
			s.restart(ctx)
		}
	}
}

// restart stops the server at once, so that nobody waits for answers that never
// come, and starts it when there is room on the disk.
func (s *Server) restart(ctx context.Context) {
	s.stop()
	pause := 250 * time.Millisecond
	if time.Since(s.started) < time.Minute { // a disk that is broken, and not full, breaks it again at once
		pause = 2 * time.Second
	}
	for sleep(ctx, pause) {
		select { // what the dying server has said
		case <-s.broken:
		default:
		}
		err := s.startAgain()
		if err == nil {
			s.log.Info("the server runs again")
			return
		}
		s.log.Error("the server cannot be started yet", "err", err)
		pause = min(2*pause, 5*time.Second)
	}
}

func (s *Server) startAgain() error {
	free, err := s.room(s.opts.StoreDir)
	if err != nil {
		return err
	}
	if free <= 0 {
		return fmt.Errorf("the disk has less than %d MiB free; make room", s.minFree()>>20)
	}
	srv, err := s.start()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = srv
	return nil
}

// sleep waits for d, or returns false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// logger passes on what the server has to say, and finds in it what cannot be
// asked for: that a store has failed and refuses everything from then on
// (nats-server, server/filestore.go, setWriteErr).
type logger struct {
	log    *slog.Logger
	broken chan<- string
	fatal  chan string // why the server cannot start
}

func (l *logger) Errorf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.log.Error("nats-server: " + text)
	if strings.Contains(text, "Critical write error") {
		select {
		case l.broken <- text:
		default: // it is known
		}
	}
}

func (l *logger) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.log.Error("nats-server: " + text)
	select {
	case l.fatal <- text:
	default: // one is enough
	}
}

func (l *logger) Warnf(format string, v ...any) {
	l.log.Warn("nats-server: " + fmt.Sprintf(format, v...))
}
func (l *logger) Noticef(format string, v ...any) {
	l.log.Debug("nats-server: " + fmt.Sprintf(format, v...))
}
func (l *logger) Debugf(string, ...any) {}
func (l *logger) Tracef(string, ...any) {}

// size is how many bytes the files below a directory have.
func size(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
