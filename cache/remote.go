package cache

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// remoteWait is how long a load waits for Redis before it goes without.
const remoteWait = 20 * time.Millisecond

// silent is go-redis's own logger, of which a process has one: it writes plain
// lines to stderr. What matters is logged and counted here.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

var silence = sync.OnceFunc(func() { redis.SetLogger(silent{}) })

// future is how far another node's clock may be ahead of ours.
const future = 2 * time.Second

// remote is the second tier: encoded entries in Redis, for every process. Its
// failures are misses.
type remote struct {
	client  redis.UniversalClient
	lent    redis.UniversalClient // to those who may wait longer, see [Cache.Redis]
	opts    *redis.UniversalOptions
	cluster bool
	packer  *packer
	reads   breaker
	writes  breaker // apart: a full or read-only Redis still answers
	leases  breaker // apart: a Redis without scripts still stores
	leased  *leaseCounts
	clock   atomic.Pointer[reading] // of Redis's clock; nil until it was read
	wait    time.Duration
	log     *slog.Logger
	metrics *instruments
}

// address is where an entry lies: short, and without anything that was asked for.
func address(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "portico:c1:" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// get answers what Redis has of keys, by their place in the list: one round trip. sums
// are the checksums of what lies there, of any use or not; nil means that Redis could
// not be asked.
func (r *remote) get(ctx context.Context, keys []string) (found map[int]stored, sums []string) {
	if !r.reads.allow(time.Now()) {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	addresses := make([]string, len(keys))
	for i, key := range keys {
		addresses[i] = address(key)
	}
	raw, err := r.fetch(ctx, addresses)
	if !r.settled(ctx, "get", &r.reads, err) {
		return nil, nil
	}
	found, sums = map[int]stored{}, make([]string, len(keys))
	now := time.Now()
	for i, text := range raw {
		sums[i] = checksumOf(text)
		if text == "" {
			continue
		}
		if s, ok := r.open(ctx, keys[i], text, now); ok {
			found[i] = s
		}
	}
	return found, sums
}

// open reads what Redis holds under a key.
func (r *remote) open(ctx context.Context, key, text string, now time.Time) (stored, bool) {
	s, err := r.packer.unpack(key, []byte(text))
	if err != nil || s.began.After(now.Add(future)) {
		r.metrics.remoteError(ctx, "corrupt")
		return stored{}, false
	}
	// From here on its age is counted by this process's steady clock.
	s.began = now.Add(-r.age(s, now))
	return s, true
}

// fetch reads addresses; a missing one is empty. A cluster's keys lie on several
// nodes, so there MGET becomes a pipeline.
func (r *remote) fetch(ctx context.Context, addresses []string) ([]string, error) {
	texts := make([]string, len(addresses))
	if !r.cluster {
		list, err := r.client.MGet(ctx, addresses...).Result()
		if err != nil || len(list) != len(addresses) {
			return nil, errors.Join(errors.New("MGET failed"), err)
		}
		for i, item := range list {
			texts[i], _ = item.(string)
		}
		return texts, nil
	}
	gets := make([]*redis.StringCmd, len(addresses))
	_, _ = r.client.Pipelined(ctx, func(p redis.Pipeliner) error { // the error of each tells
		for i, a := range addresses {
			gets[i] = p.Get(ctx, a)
		}
		return nil
	})
	for i, get := range gets {
		text, err := get.Result()
		// What is no string is no entry, as MGET has it.
		if err != nil && !errors.Is(err, redis.Nil) && !redis.HasErrorPrefix(err, "WRONGTYPE") {
			return nil, err
		}
		texts[i] = text
	}
	return texts, nil
}

// write is an entry to be stored, or to be taken out.
type write struct {
	stored
	key  string
	life time.Duration
	gone bool // there is no such thing any more: what lies there is not to be given again
}

// put stores writes and gives leases back, which may be nil, in one round trip; what is
// too large is left out.
func (r *remote) put(ctx context.Context, writes []write, leases *leaseSet) {
	pipe, stores := r.client.Pipeline(), false
	for _, w := range writes {
		if w.gone {
			pipe.Del(ctx, address(w.key))
			continue
		}
		left := w.life - time.Since(w.began)
		packed := r.packer.pack(w.key, w.stored)
		if left > time.Millisecond && len(packed) <= maxStored && len(w.tags) <= maxStoredTags {
			pipe.Set(ctx, address(w.key), packed, left)
			stores = true
		} else {
			leases.unshared(w.key)
		}
	}
	if !r.writes.allow(time.Now()) {
		// What was loaded cannot be shared, and others must not wait for it.
		r.dismiss(ctx, writes, leases)
		return
	}
	leases.release(ctx, pipe)
	if pipe.Len() == 0 {
		return
	}
	// Nobody waits for it here, but other processes may.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(redisIO, r.wait))
	defer cancel()
	_, err := pipe.Exec(ctx)
	if err == nil && !stores {
		return // a full Redis does that, too
	}
	if !r.settled(ctx, "put", &r.writes, err) {
		// Others wait until the leases end, unless they can be given back over another connection.
		if leases != nil {
			leases.ended = false
		}
		r.dismiss(ctx, writes, leases)
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
			pipe.Del(ctx, address(w.key))
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

// settled counts and logs how a call ended; gate is the breaker that let it through.
func (r *remote) settled(ctx context.Context, what string, gate *breaker, err error) bool {
	if err != nil {
		r.metrics.remoteError(ctx, what)
	}
	if !gate.done(time.Now(), err == nil) {
		return err == nil
	}
	call := slog.String("call", what)
	if err != nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "cache goes on without Redis", call, slog.String("reason", redisReason(err)))
	} else {
		r.log.LogAttrs(ctx, slog.LevelWarn, "cache uses Redis again", call)
	}
	return err == nil
}

// redisReason says what kind of failure err is, in words that hold no data: the
// code that Redis begins its errors with (NOAUTH, OOM, READONLY …), or ours.
func redisReason(err error) string {
	if answer, ok := errors.AsType[redis.Error](err); ok {
		code, _, _ := strings.Cut(answer.Error(), " ")
		if code != "" && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
			return code
		}
		return "unexpected answer"
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if timed, ok := errors.AsType[net.Error](err); errors.Is(err, context.DeadlineExceeded) || (ok && timed.Timeout()) {
		return "timeout"
	}
	return "connection"
}
