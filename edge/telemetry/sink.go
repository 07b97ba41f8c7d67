package telemetry

import (
	"io"
	"sync"
	"time"
)

const (
	// lineWait is how long a line below WARN may wait to be written together with others.
	lineWait = 50 * time.Millisecond
	// sinkSize is how many bytes of lines wait at most; some 250 requests.
	sinkSize = 64 << 10
)

// sink is where the log's lines go, in their order. Where lines may wait, it writes them
// in one piece: after wait, when they come to sinkSize, and when somebody flushes, which
// everything does that is WARN or worse. A process that is killed loses those of its last
// 50 ms. It is safe for concurrent use, and holds no goroutine while nothing waits.
type sink struct {
	out  io.Writer
	wait time.Duration // 0: every line is written at once

	mu    sync.Mutex
	lines []byte
	timer *time.Timer // nil until the first line waits
	armed bool
}

func newSink(out io.Writer, wait time.Duration) *sink { return &sink{out: out, wait: wait} }

// Write takes one line, or several. What could not be written is gone, as from any log.
func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, p...) // p may be its caller's stack
	switch {
	case s.wait == 0 || len(s.lines) >= sinkSize:
		return len(p), s.write()
	case s.armed:
	case s.timer == nil:
		s.timer, s.armed = time.AfterFunc(s.wait, s.flush), true
	default:
		s.timer.Reset(s.wait)
		s.armed = true
	}
	return len(p), nil
}

// flush writes what waits.
func (s *sink) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.write() // a log that cannot be written can tell nobody
}

// write writes what waits. The caller holds the lock.
func (s *sink) write() error {
	if s.armed {
		s.timer.Stop()
		s.armed = false
	}
	if len(s.lines) == 0 {
		return nil
	}
	_, err := s.out.Write(s.lines)
	if s.lines = s.lines[:0]; cap(s.lines) > 2*sinkSize { // one line was very long
		s.lines = nil
	}
	return err
}

// close writes what waits, and from now on every line at once.
func (s *sink) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait = 0
	_ = s.write()
}
