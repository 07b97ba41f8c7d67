package cache

import (
	"context"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// write is an entry to be stored, or to be taken out.
type write struct {
	stored
	value   any    // that the payload is made of, in …
	form    *codec // … this form; nil where there is a payload
	key     string
	address string
	life    time.Duration
	gone    bool   // there is no such thing any more: what lies there is not to be given again
	leaving *entry // what memory keeps if Redis does not; nil where it keeps it already
	sent    bool   // whether it is among the sets
}

// putting is what a load has for Redis, with the leases it gives back, which may be nil.
type putting struct {
	writes []write
	sets   []set
	leases *leaseSet
	room   *room // that sets lie in
}

// room is memory for what is sent, which is used again.
type room struct {
	packed []byte
	json   sheet
}

// rooms are those that are free. Unlike a [sync.Pool]'s they outlive garbage collections, of
// which there is one for every few lists that nobody holds.
var rooms = make(chan *room, freeRooms)

const (
	freeRooms = 8
	maxRoom   = 256 << 10 // bytes of a room that is used again
)

func enter() *room {
	select {
	case r := <-rooms:
		return r
	default:
		return &room{}
	}
}

// leave has the room used by others, unless it grew beyond what is usual.
func (r *room) leave() {
	if cap(r.packed)+cap(r.json.b) > maxRoom {
		return
	}
	r.packed = r.packed[:0]
	select {
	case rooms <- r:
	default:
	}
}

// set is an entry as it is stored, and for how long.
type set struct {
	address string
	packed  string // in a room
	ms      int64
}

// store adds to pipe what stores the entry. Redis's client is given pointers, which it
// need not have copied to the heap.
func (s *set) store(ctx context.Context, pipe redis.Pipeliner, words []any) {
	words = append(words, "set", s.address, &s.packed, "px", &s.ms)
	_ = pipe.Process(ctx, redis.NewStatusCmd(ctx, words...)) // it is sent with the rest
}

// setWords is how many a SET has.
const setWords = 5

// put stores writes and gives leases back, which may be nil, together with what other
// loads bring within a moment; what is too large is left out. Whoever is the first of
// them returns when all is done.
func (r *remote) put(ctx context.Context, writes []write, leases *leaseSet) {
	leases = leases.once()
	if len(writes) == 0 && leases == nil {
		return
	}
	p, size := r.pack(ctx, writes, leases)
	if !r.writes.allow(time.Now()) {
		// What was loaded cannot be shared, and others must not wait for it.
		r.arrived(writes, false)
		r.dismiss(ctx, writes, leases)
		return
	}
	if all := r.puts.bring(p, size, atLeisure); all != nil {
		r.putAll(context.WithoutCancel(ctx), all)
	}
}

// pack makes of writes what is sent, and says how much that is in bytes.
func (r *remote) pack(ctx context.Context, writes []write, leases *leaseSet) (p *putting, size int) {
	in := enter()
	p = &putting{writes: writes, sets: make([]set, 0, len(writes)), leases: leases, room: in}
	for i := range writes {
		w := &writes[i]
		if w.gone {
			continue
		}
		entry, err := w.encoded(&in.json)
		if err != nil {
			r.metrics.remoteError(ctx, "encode")
			leases.unshared(w.address)
			continue
		}
		left, from := w.life-time.Since(w.began), len(in.packed)
		in.packed = r.packer.appendTo(in.packed, w.key, entry)
		packed := in.packed[from:]
		if from == 0 && len(packed)*len(writes) <= maxRoom {
			in.packed = slices.Grow(in.packed, len(packed)*len(writes)) // the others are much like the first
			packed = in.packed[from:]
		}
		if left > time.Millisecond && len(packed) <= maxStored && len(w.tags) <= maxStoredTags {
			w.sent = true
			p.sets = append(p.sets, set{w.address, view(packed), left.Milliseconds()})
			size += len(packed)
		} else {
			leases.unshared(w.address)
		}
	}
	return p, size
}

// encoded is the entry with its payload, which is good until the sheet is used again.
func (w *write) encoded(to *sheet) (entry stored, err error) {
	entry = w.stored
	if w.form != nil {
		entry.payload, err = w.form.encode(to, w.value)
	}
	return entry, err
}

// putAll stores all in one round trip.
func (r *remote) putAll(ctx context.Context, all []*putting) {
	stored := false
	defer func() {
		for _, p := range all {
			r.arrived(p.writes, stored)
			p.room.leave()
		}
	}()
	pipe, stores := r.client.Pipeline(), false
	for _, p := range all {
		for _, w := range p.writes {
			if w.gone {
				pipe.Del(ctx, w.address)
			}
		}
		words := make([]any, setWords*len(p.sets))
		for i := range p.sets {
			p.sets[i].store(ctx, pipe, words[setWords*i:][:0:setWords])
		}
		stores = stores || len(p.sets) > 0
		p.leases.release(ctx, pipe)
	}
	if pipe.Len() == 0 {
		return
	}
	// Nobody waits for it here, but other processes may.
	sent, cancel := context.WithTimeout(ctx, max(redisIO, r.wait))
	defer cancel()
	_, err := pipe.Exec(sent)
	if err == nil && !stores {
		return // a full Redis does that, too
	}
	if stored = r.settled(ctx, "put", &r.writes, err); stored {
		return
	}
	// Others wait until the leases end, unless they can be given back over another connection.
	for _, p := range all {
		r.dismiss(ctx, p.writes, p.leases)
	}
}

// dismiss gives leases back to a Redis that stores nothing, and takes out what is gone.
func (r *remote) dismiss(ctx context.Context, writes []write, leases *leaseSet) {
	r.remove(ctx, writes)
	pipe := r.client.Pipeline()
	leases.release(ctx, pipe)
	if pipe.Len() == 0 || !r.leases.allow(time.Now()) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.wait)
	defer cancel()
	_, err := pipe.Exec(ctx)
	r.settled(ctx, "lease", &r.leases, err)
}

// remove takes out what is gone as long as Redis is read: whoever reads it would be given
// that again. One that is full still does it, however rarely it is asked to store.
func (r *remote) remove(ctx context.Context, writes []write) {
	pipe := r.client.Pipeline()
	for _, w := range writes {
		if w.gone {
			pipe.Del(ctx, w.address)
		}
	}
	if pipe.Len() == 0 || r.reads.isOpen() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(redisIO, r.wait))
	defer cancel()
	if _, err := pipe.Exec(ctx); err != nil {
		r.metrics.remoteError(ctx, "put") // one that may not be written to is read still
	}
}
