package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/portico-bff/portico/schema/commerce"
)

// Redis is a ledger that all nodes share. The client must honour context
// deadlines and must not repeat commands by itself.
type Redis struct{ client redis.UniversalClient }

const (
	// askTimeout bounds what a write waits for before it begins: a slow store must
	// not eat a request's time.
	askTimeout = 500 * time.Millisecond
	// tellTimeout bounds what is written down once it has ended, which nobody can do
	// again later.
	tellTimeout = time.Second
)

// NewRedis makes a ledger on a client, which stays the caller's to close.
func NewRedis(client redis.UniversalClient) *Redis { return &Redis{client: client} }

var (
	claimScript = redis.NewScript(`
local held = redis.call('GET', KEYS[1])
if held then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ''`)
	replaceScript = redis.NewScript(`
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`)
	extendScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`)
	dropScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`)
)

// Claim is [Ledger]'s.
func (r *Redis) Claim(ctx context.Context, key, value string, ttl time.Duration) (string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	held, err := claimScript.Run(ctx, r.client, []string{key}, value, ttl.Milliseconds()).Text()
	if err != nil {
		return "", false, failed(err)
	}
	if held == "" {
		return value, true, nil
	}
	return held, false, nil
}

// Replace is [Ledger]'s.
func (r *Redis) Replace(ctx context.Context, key, old, value string, ttl time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	n, err := replaceScript.Run(ctx, r.client, []string{key}, old, value, ttl.Milliseconds()).Int()
	return n == 1, failed(err)
}

// Extend is [Ledger]'s.
func (r *Redis) Extend(ctx context.Context, key, value string, ttl time.Duration) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	n, err := extendScript.Run(ctx, r.client, []string{key}, value, ttl.Milliseconds()).Int()
	return n == 1, failed(err)
}

// Drop is [Ledger]'s.
func (r *Redis) Drop(ctx context.Context, key, old string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	n, err := dropScript.Run(ctx, r.client, []string{key}, old).Int()
	return n == 1, failed(err)
}

// Get is [Ledger]'s.
func (r *Redis) Get(ctx context.Context, key string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	held, err := r.client.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return held, failed(err)
}

func failed(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return &commerce.CallError{System: "redis", Operation: "ledger", Kind: commerce.ErrUnavailable, Reason: commerce.ReasonTimeout, Err: err}
	default:
		return &commerce.CallError{System: "redis", Operation: "ledger", Kind: commerce.ErrUnavailable, Reason: commerce.ReasonUnavailable, Err: err}
	}
}
