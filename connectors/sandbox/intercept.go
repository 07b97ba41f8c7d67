package sandbox

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"
)

// maxBody bounds what a system reads of a request.
const maxBody = 1 << 20

// intercept stands before a system: it reads the body once, counts the call and lets faults have it.
func (s *Server) intercept(sys system) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w = &countingWriter{ResponseWriter: w, system: sys.name, counts: &s.counts}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			status := http.StatusBadRequest
			if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
				status = http.StatusRequestEntityTooLarge
			}
			http.Error(w, http.StatusText(status), status)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		operation := sys.operation(r, body)
		s.counts.called(sys.name, operation)
		rule, found := s.faults.find(sys.name, operation)
		if !found {
			sys.handler.ServeHTTP(w, r)
			return
		}
		if !s.wait(r, rule.latency()) {
			panic(http.ErrAbortHandler)
		}
		if !rule.fails() {
			sys.handler.ServeHTTP(w, r)
			return
		}
		s.fail(w, r, rule, sys.handler)
	})
}

// wait lets d pass. It is false when the caller left or the server stops before that.
func (s *Server) wait(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	case <-s.stopped:
		return false
	}
}
