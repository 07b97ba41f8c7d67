package sandbox

import (
	"maps"
	"net/http"
	"sync"
)

// counts is what the systems saw: calls by operation as they arrived, whatever
// became of them, and bytes of answers.
type counts struct {
	mu    sync.Mutex
	calls map[string]map[string]int
	bytes map[string]int64
}

func (c *counts) called(system, operation string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls = map[string]map[string]int{}
	}
	if c.calls[system] == nil {
		c.calls[system] = map[string]int{}
	}
	c.calls[system][operation]++
}

func (c *counts) sent(system string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bytes == nil {
		c.bytes = map[string]int64{}
	}
	c.bytes[system] += int64(n)
}

func (c *counts) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls, c.bytes = nil, nil
}

// Calls answers system → operation → calls since the start or the last reset. Never nil.
func (s *Server) Calls() map[string]map[string]int {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	all := make(map[string]map[string]int, len(s.counts.calls))
	for system, operations := range s.counts.calls {
		all[system] = maps.Clone(operations)
	}
	return all
}

// Bytes answers system → bytes of answer bodies sent since the start or the last reset. Never nil.
func (s *Server) Bytes() map[string]int64 {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	all := make(map[string]int64, len(s.counts.bytes))
	maps.Copy(all, s.counts.bytes)
	return all
}

// ResetCalls sets calls and bytes back to nothing.
func (s *Server) ResetCalls() { s.counts.reset() }

// countingWriter counts the bytes of a body on their way out.
type countingWriter struct {
	http.ResponseWriter
	system string
	counts *counts
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.counts.sent(w.system, n)
	return n, err
}

// Unwrap lets [http.ResponseController] flush and hijack.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
