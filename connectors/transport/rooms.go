package transport

import "sync"

const (
	freeRooms = 8
	maxRoom   = 256 << 10 // bytes of a room that is used again
	roomStep  = 32 << 10  // rooms are multiples of it, so that one for a list fits the next
)

// rooms are memory that bodies are read into, which is used again: what is free of it is
// 2 MiB at most. Unlike a [sync.Pool]'s it outlives garbage collections, of which there is
// one for every few lists.
type rooms struct {
	mu   sync.Mutex
	free [][]byte // the last that was left is the next: it may still be in the processor's cache
}

// bodyRooms are those of all clients.
var bodyRooms rooms

// enter is an empty room for n bytes at least.
func (r *rooms) enter(n int64) []byte {
	if n > maxRoom {
		return make([]byte, 0, n)
	}
	if room := r.last(); int64(cap(room)) >= n {
		return room
	}
	// One that is too small is dropped: in the end all are as large as the answers are.
	return make([]byte, 0, (n+roomStep-1)/roomStep*roomStep)
}

func (r *rooms) last() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := len(r.free) - 1
	if at < 0 {
		return nil
	}
	room := r.free[at]
	r.free[at], r.free = nil, r.free[:at]
	return room
}

// leave has the room used by others. What was read into it is overwritten: nothing of an
// answer is there for the next, and who has kept a part of it learns so at once, not when
// another answer happens to lie there.
func (r *rooms) leave(room []byte) {
	if cap(room) == 0 || cap(room) > maxRoom {
		return
	}
	clear(room)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.free) < freeRooms {
		r.free = append(r.free, room[:0])
	}
}
