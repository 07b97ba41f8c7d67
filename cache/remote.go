package cache

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"sync"
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
	cluster bool
	packer  *packer
	breaker breaker
	wait    time.Duration
	log     *slog.Logger
	metrics *instruments
}

// stored is an entry as Redis holds it.
type stored struct {
	payload []byte
	began   time.Time
}

// address is where an entry lies: short, and without anything that was asked for.
func address(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "portico:c1:" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// get answers what Redis has of keys, by their place in the list: one round trip.
func (r *remote) get(ctx context.Context, keys []string) map[int]stored {
	if !r.breaker.allow(time.Now()) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
	addresses := make([]string, len(keys))
	for i, key := range keys {
		addresses[i] = address(key)
	}
	raw, err := r.fetch(ctx, addresses)
	if !r.settled(ctx, "get", err) {
		return nil
	}
	found := map[int]stored{}
	now := time.Now()
	for i, text := range raw {
		if text == "" {
			continue
		}
		payload, began, err := r.packer.unpack(keys[i], []byte(text))
		if err != nil || began.After(now.Add(future)) {
			r.metrics.remoteError(ctx, "corrupt")
			continue
		}
		// From here on its age is counted by this process's steady clock.
		found[i] = stored{payload: payload, began: now.Add(-max(0, now.Round(0).Sub(began)))}
	}
	return found
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
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, a := range addresses {
			gets[i] = p.Get(ctx, a)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	for i, get := range gets {
		texts[i] = get.Val()
	}
	return texts, nil
}

// write is an entry to be stored.
type write struct {
	key     string
	payload []byte
	began   time.Time
	life    time.Duration
}

// put stores writes in one round trip; what is too large is left out.
func (r *remote) put(ctx context.Context, writes []write) {
	if len(writes) == 0 || !r.breaker.allow(time.Now()) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, redisIO)
	defer cancel()
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, w := range writes {
			left := w.life - time.Since(w.began)
			packed := r.packer.pack(w.key, w.began, w.payload)
			if left > time.Millisecond && len(packed) <= maxStored {
				p.Set(ctx, address(w.key), packed, left)
			}
		}
		return nil
	})
	r.settled(ctx, "put", err)
}

// settled counts and logs how a call ended.
func (r *remote) settled(ctx context.Context, what string, err error) bool {
	if err != nil {
		r.metrics.remoteError(ctx, what)
	}
	turned := r.breaker.done(time.Now(), err == nil)
	switch {
	case turned && err != nil:
		r.log.LogAttrs(ctx, slog.LevelWarn, "cache goes on without Redis")
	case turned:
		r.log.LogAttrs(ctx, slog.LevelWarn, "cache uses Redis again")
	}
	return err == nil
}
