package cache

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/portico-bff/portico/schema/stack"
)

// put stores writes and gives leases back, which may be nil, together with what other
// loads bring within a moment, or while that is under way; what is too large is left out.
// Whoever is the first of them returns when what was brought until then is done.
func (r *remote) put(ctx context.Context, writes []write, leases *leaseSet) {
	leases = leases.once()
	if len(writes) == 0 && leases == nil {
		return
	}
	if !r.writes.allow(time.Now()) {
		// What was loaded cannot be shared, and others must not wait for it.
		r.arrived(writes, false)
		r.dismiss(ctx, writes, leases)
		return
	}
	// They are written at once, before those are woken who wait for them: who makes a tag of
	// their versions finds them written. Where Redis is slower than those who load, they
	// would take more memory than the values do, and are written as they are sent.
	p := putting{writes: writes, leases: leases}
	if r.puts.holds() < maxWritten {
		r.packUp(ctx, &p)
	}
	all, leads := r.puts.bring(p, len(writes), atLeisure)
	if len(all) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	r.putAll(ctx, all)
	if leads && r.puts.waits() {
		// A load may have to wait for others yet, and is not held for as long as they write.
		r.work.Go(func() {
			stack.To8K()
			r.putMore(ctx)
		})
	}
}

// putMore stores what was brought while others were sent, until nothing waits.
func (r *remote) putMore(ctx context.Context) {
	for all := r.puts.more(atLeisure); all != nil; all = r.puts.more(atLeisure) {
		r.putAll(ctx, all)
	}
}

// putAll stores all, as much in a round trip as is usual. A panic in it ends no more than that:
// others wait to be stored.
func (r *remote) putAll(ctx context.Context, all []putting) {
	defer func() {
		if p := recover(); p != nil {
			r.log.LogAttrs(ctx, slog.LevelError, "storing panicked", slog.String("stack", string(debug.Stack())))
		}
		for _, p := range all { // none, unless something panicked
			r.arrived(p.writes, false)
		}
	}()
	for len(all) > 0 {
		some := all[:r.atOnce(ctx, all)]
		stored := r.store(ctx, some)
		for _, p := range some {
			r.arrived(p.writes, stored)
			if !stored {
				// Others wait until the leases end, unless they can be given back over another connection.
				r.dismiss(ctx, p.writes, p.leases)
			}
			p.in.leave(&r.desks)
		}
		all = all[len(some):]
	}
}

// packUp packs what p has for Redis.
func (r *remote) packUp(ctx context.Context, p *putting) {
	p.in = r.desks.enter()
	r.pack(ctx, p.in, p.writes, p.leases)
}

// atOnce is how many of puts, at least one, go in one round trip. Those are written.
func (r *remote) atOnce(ctx context.Context, puts []putting) int {
	bytes, sets := 0, 0
	for n := range puts {
		if n > 0 && (bytes >= maxRoom/2 || sets >= maxSets/2) {
			return n
		}
		p := &puts[n]
		if p.in == nil {
			r.packUp(ctx, p)
		}
		bytes, sets = bytes+len(p.in.packed.b), sets+p.in.taken
	}
	return len(puts)
}

// store sends what was packed of puts in one round trip, and tells whether Redis has it.
func (r *remote) store(ctx context.Context, puts []putting) bool {
	pipe, sets := r.client.Pipeline(), 0
	for _, p := range puts {
		gone(ctx, pipe, p.writes)
	}
	for _, p := range puts {
		p.in.store(ctx, pipe, r.cluster)
		sets += p.in.taken
	}
	for _, p := range puts {
		p.leases.release(ctx, pipe, p.in)
	}
	if pipe.Len() == 0 {
		return true
	}
	// Nobody waits for it here, but other processes may.
	sent, cancel := context.WithTimeout(ctx, max(redisIO, r.wait))
	defer cancel()
	_, err := pipe.Exec(sent)
	if err == nil && sets == 0 {
		return true // a full Redis does that, too
	}
	return r.settled(ctx, "put", &r.writes, err)
}

// dismiss gives leases back to a Redis that stores nothing, and takes out what is gone.
func (r *remote) dismiss(ctx context.Context, writes []write, leases *leaseSet) {
	r.remove(ctx, writes)
	in, pipe := r.rooms.enter(), r.client.Pipeline()
	defer in.leave(&r.rooms)
	leases.release(ctx, pipe, in)
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
	gone(ctx, pipe, writes)
	if pipe.Len() == 0 || r.reads.isOpen() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(redisIO, r.wait))
	defer cancel()
	if _, err := pipe.Exec(ctx); err != nil {
		r.metrics.remoteError(ctx, "put") // one that may not be written to is read still
	}
}

// gone adds to pipe what takes out of Redis what there is no more.
func gone(ctx context.Context, pipe redis.Pipeliner, writes []write) {
	for i := range writes {
		if w := &writes[i]; w.entry == nil {
			pipe.Del(ctx, w.address)
		}
	}
}
