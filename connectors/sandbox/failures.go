package sandbox

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// fail answers a call the way the rule wants it to go wrong.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, rule Fault, real http.Handler) {
	switch rule.Mode {
	case ModeStatus:
		failStatus(w, rule.Status)
	case ModeHang:
		select {
		case <-r.Context().Done():
		case <-s.stopped:
		}
		panic(http.ErrAbortHandler)
	case ModeReset:
		reset(w)
	case ModeGarbage:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("\x00\xff\xfe{]<garbage\x01\x80\xc3("))
	case ModeTruncate:
		truncate(w, record(real, r))
	case ModeDrip:
		s.drip(w, r, record(real, r))
	}
}

func failStatus(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<html><body><h1>%d %s</h1></body></html>\n", status, http.StatusText(status))
}

// reset closes the connection so that its caller's kernel sees RST, not an end of file.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// recorded is an answer that was not sent yet.
type recorded struct {
	status int
	header http.Header
	body   bytes.Buffer
}

// record has the real system answer, and keeps that back.
func record(real http.Handler, r *http.Request) *recorded {
	rec := &recorded{header: http.Header{}}
	real.ServeHTTP(rec, r)
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	return rec
}

func (r *recorded) Header() http.Header { return r.header }

func (r *recorded) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorded) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

// begin sends status and headers, and the length that the whole body would have.
func (r *recorded) begin(w http.ResponseWriter) {
	maps.Copy(w.Header(), r.header)
	w.Header().Set("Content-Length", strconv.Itoa(r.body.Len()))
	w.WriteHeader(r.status)
}

func truncate(w http.ResponseWriter, answer *recorded) {
	answer.begin(w)
	_, _ = w.Write(answer.body.Bytes()[:answer.body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// dripInterval is how long each byte takes: a kilobyte needs minutes.
const dripInterval = 200 * time.Millisecond

func (s *Server) drip(w http.ResponseWriter, r *http.Request, answer *recorded) {
	answer.begin(w)
	flusher := http.NewResponseController(w)
	for {
		b, err := answer.body.ReadByte()
		if err != nil {
			return
		}
		if _, err := w.Write([]byte{b}); err != nil {
			return
		}
		_ = flusher.Flush()
		if !s.wait(r, dripInterval) {
			panic(http.ErrAbortHandler)
		}
	}
}
