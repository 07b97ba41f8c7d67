package cache

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"strconv"
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
	asks    gatherer[*inquiry]
	puts    gatherer[putting]
	rooms   rooms           // for questions
	desks   rooms           // for what is stored
	life    context.Context // the cache's: what is under way ends with it
	writes  breaker         // apart: a full or read-only Redis still answers
	leases  breaker         // apart: a Redis without scripts still stores
	leased  *leaseCounts
	name    string                  // of this process, among those that ask for leases
	turns   atomic.Uint64           // that it took
	clock   atomic.Pointer[reading] // of Redis's clock; nil until it was read
	wait    time.Duration
	arrived func(writes []write, stored bool) // is told what became of writes; see leaving
	work    *sync.WaitGroup                   // the cache's: its loads, and what goes on for them
	log     *slog.Logger
	metrics *instruments
}

// token is a name for who asks for leases that nobody else has.
func (r *remote) token() string {
	return r.name + "-" + strconv.FormatUint(r.turns.Add(1), 36)
}

// address is where an entry lies: short, and without anything that was asked for.
func address(key string) string { return string(appendAddress(nil, key)) }

func appendAddress(b []byte, key string) []byte {
	sum := sha256.Sum256(append(make([]byte, 0, 512), key...)) // usual keys are not copied to the heap
	return base64.RawURLEncoding.AppendEncode(append(b, "portico:c1:"...), sum[:])
}

// get answers what Redis has of keys, by their place in the list: one round trip. sums
// are the checksums of what lies there, of any use or not; nil means that Redis could
// not be asked.
func (r *remote) get(ctx context.Context, keys, addresses []string) (found map[int]stored, sums []string) {
	if !r.reads.allow(time.Now()) {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.wait)
	defer cancel()
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
