package cache

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/portico-bff/portico/schema/commerce"
)

// write is an entry to be stored, or to be taken out.
type write struct {
	address string
	entry   *entry  // nil: there is no such thing any more, and what lies there is not to be given again
	leaving *flight // that brought it, where memory keeps it only if Redis does not; else nil
	sent    bool    // whether it is among the sets
}

// own are the tags that only the entry's value tells, which follow those of its key.
func (w *write) own() []commerce.Tag { return w.entry.tags[len(w.entry.plan.tags):] }

// putting is what a load has for Redis, with the leases it gives back, which may be nil.
type putting struct {
	writes []write
	leases *leaseSet
	in     *room // where it lies packed; nil until then
}

// set is the command that stores an entry. Redis's client is given pointers, so that the
// command is used again for the next entry of its room; a cluster's looks for strings.
type set struct {
	address string
	packed  string // in the room
	ms      int64  // of its life
	command *redis.StatusCmd
}

func newSet() *set {
	s := &set{}
	s.command = redis.NewStatusCmd(context.Background(), "set", &s.address, &s.packed, "px", &s.ms)
	return s
}

// room is memory for what is sent, which is used again.
type room struct {
	packed sheet
	zipped []byte
	words  []any // of scripts
	sets   []*set
	taken  int           // of them
	line   []redis.Cmder // of their commands, as they are sent
}

// rooms are those that are free. Unlike a [sync.Pool]'s those that are kept outlive garbage
// collections, of which there is one for every few lists that nobody holds; others are in a
// pool: where Redis is slower than those who load, many are in use for a while.
type rooms struct {
	kept   chan *room
	others sync.Pool
}

const (
	freeRooms = 16        // for questions, which hold words only
	freeDesks = 8         // for entries: those of a few lists at a time
	maxRoom   = 512 << 10 // bytes of a room that is used again …
	maxSets   = 1000      // … its commands …
	maxWords  = 8 * maxGatheredAsks
)

func (free *rooms) enter() *room {
	select {
	case r := <-free.kept:
		return r
	default:
	}
	if r, ok := free.others.Get().(*room); ok {
		return r
	}
	return &room{}
}

// leave has the room used by others, unless it grew beyond what is usual. Nothing is held of
// what was sent.
func (r *room) leave(free *rooms) {
	if cap(r.packed.b)+cap(r.zipped) > maxRoom || len(r.sets) > maxSets || cap(r.words) > maxWords {
		return
	}
	r.empty()
	select {
	case free.kept <- r:
	default:
		free.others.Put(r)
	}
}

func (r *room) empty() {
	for _, s := range r.sets[:r.taken] {
		s.address, s.packed = "", ""
	}
	clear(r.words)
	clear(r.line)
	r.packed.b, r.words, r.line, r.taken = r.packed.b[:0], r.words[:0], r.line[:0], 0
}

// take is a command that no other entry of the room has.
func (r *room) take() *set {
	if r.taken == len(r.sets) {
		r.sets = append(r.sets, newSet())
	}
	s := r.sets[r.taken]
	r.taken++
	s.command.SetErr(nil)
	return s
}

// pack adds what is sent of writes to what lies in the room. The leases, which may be nil, are told what is not.
func (r *remote) pack(ctx context.Context, in *room, writes []write, leases *leaseSet) {
	now := time.Now()
	for i := range writes {
		w := &writes[i]
		if w.entry == nil {
			continue
		}
		left, from := w.entry.plan.policy.life()-now.Sub(w.entry.began), len(in.packed.b)
		size, err := r.packOne(ctx, in, w)
		if err != nil {
			r.metrics.remoteError(ctx, "encode")
		}
		if err != nil || left <= time.Millisecond || size > maxStored || len(w.own()) > maxStoredTags {
			in.packed.b = in.packed.b[:from]
			leases.unshared(w.address)
			continue
		}
		w.sent = true
		s := in.take()
		s.address, s.packed, s.ms = w.address, view(in.packed.b[from:]), left.Milliseconds()
	}
}

// store adds to pipe what stores the entries that lie in the room.
func (r *room) store(ctx context.Context, pipe redis.Pipeliner, cluster bool) {
	for _, s := range r.sets[:r.taken] {
		command := s.command
		if cluster {
			command = redis.NewStatusCmd(ctx, "set", s.address, &s.packed, "px", &s.ms)
		}
		r.line = append(r.line, command)
	}
	_ = pipe.BatchProcess(ctx, r.line...) // they are sent with the rest
}

// packOne adds an entry to what lies in the room, and says how large it is. What nobody could
// unpack is too large.
func (r *remote) packOne(ctx context.Context, in *room, w *write) (size int, err error) {
	defer func() { // it keeps no other from being stored
		if p := recover(); p != nil {
			r.log.LogAttrs(ctx, slog.LevelError, "writing of an entry panicked",
				slog.String("operation", string(w.entry.plan.name)), slog.String("stack", string(debug.Stack())))
			err = errPanic
		}
	}()
	e := w.entry
	s := stored{began: e.began, redis: r.redisTime(e.began), at: e.stamp.global, tags: w.own()}
	at := in.begin(e.key, s)
	in.packed.err = nil
	if e.plan.codec.write(&in.packed, e.value); in.packed.err != nil {
		return 0, in.packed.err
	}
	if len(in.packed.b)-at.payload > maxPayload {
		return maxStored + 1, nil
	}
	e.written(in.packed.b[at.payload:])
	r.packer.end(in, at)
	return len(in.packed.b) - at.entry, nil
}
