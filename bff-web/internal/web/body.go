package web

import (
	"io"
	"net/http"
	"time"
)

// ReadBody takes a body in before anything else is done for its request, so that
// a client that sends slowly holds its own connection and nobody's slot. It keeps
// no more than most bytes; whoever reads on gets the rest, or the error, as ever.
func ReadBody(most int64) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, already := r.Body.(*takenIn); !already && r.Body != http.NoBody {
				r.Body = takeIn(r.Body, r.ContentLength, most)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// takenIn is a body of which all lies in memory that may.
type takenIn struct {
	head  []byte // not read again yet
	body  io.ReadCloser
	whole bool      // there is no more than head
	err   error     // how the body ended; nil while there is more
	began time.Time // when its request came in, where it was read before anybody asked; see [cameIn]
}

// roomForBody is for the name of a published document and a few variables.
const roomForBody = 160

// smallBody is a body with room for it, in one piece.
type smallBody struct {
	takenIn
	room [roomForBody]byte
}

// takeIn reads a body that was announced with length bytes; below 0 is not announced.
func takeIn(body io.ReadCloser, length, most int64) *takenIn {
	if 0 < length && length <= min(most, roomForBody) {
		small := &smallBody{}
		small.read(body, int(length))
		return &small.takenIn
	}
	t := &takenIn{body: body}
	if 0 < length && length <= most {
		t.fill(make([]byte, length))
		return t
	}
	t.head, t.err = io.ReadAll(io.LimitReader(body, most+1))
	if t.err == nil && int64(len(t.head)) <= most {
		t.whole, t.err = true, io.EOF
	}
	return t
}

// read reads all of a body that was announced with length bytes, for which there is room.
func (s *smallBody) read(body io.ReadCloser, length int) {
	s.takenIn = takenIn{body: body, began: s.began}
	s.fill(s.room[:length])
}

// fill reads all of the body, which is as long as room.
func (t *takenIn) fill(room []byte) {
	n, err := io.ReadFull(t.body, room)
	if t.head, t.err = room[:n], err; err == nil {
		t.whole, t.err = true, io.EOF
	}
}

// Whole is all of the body that has not been read yet, to be read only; false when there
// is more than was taken in, or when it broke off.
func (t *takenIn) Whole() ([]byte, bool) {
	if !t.whole {
		return nil, false
	}
	rest := t.head
	t.head = nil
	return rest, true
}

// Read reads what was taken in, and then on.
func (t *takenIn) Read(p []byte) (int, error) {
	if n := copy(p, t.head); n > 0 || len(p) == 0 {
		t.head = t.head[n:]
		return n, nil
	}
	if t.err != nil {
		return 0, t.err
	}
	return t.body.Read(p)
}

// Close closes the body.
func (t *takenIn) Close() error { return t.body.Close() }
