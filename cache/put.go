package cache

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// put stores writes and gives leases back, which may be nil, together with what other
// loads bring within a moment; what is too large is left out. Whoever is the first of
// them returns when all is done.
func (r *remote) put(ctx context.Context, writes []write, leases *leaseSet) {
	leases = leases.once()
	if len(writes) == 0 && leases == nil {
		return
	}
	p := r.pack(ctx, writes, leases)
	if !r.writes.allow(time.Now()) {
		// What was loaded cannot be shared, and others must not wait for it.
		r.arrived(writes, false)
		r.dismiss(ctx, writes, leases)
		p.room.leave()
		return
	}
	if all := r.puts.bring(p, len(p.room.packed.b), atLeisure); all != nil {
		r.putAll(context.WithoutCancel(ctx), all)
	}
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
		gone(ctx, pipe, p.writes)
		p.store(ctx, pipe, r.cluster)
		p.leases.release(ctx, pipe, p.room)
		stores = stores || len(p.sets) > 0
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
	in, pipe := enter(), r.client.Pipeline()
	defer in.leave()
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
