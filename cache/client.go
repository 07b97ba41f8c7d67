package cache

import (
	"context"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// topologyAge is how long a client of a cluster relies on what it knows of the
	// nodes: as long at most its commands go to a node that is gone.
	topologyAge = time.Second
	// lentIO and lentPool bound the client that others borrow. They are no shopper's
	// reads, so that a busy machine is no failure there; every borrower has a shorter
	// deadline of its own.
	lentIO   = 2 * time.Second
	lentPool = 2 * time.Second
)

// newClient makes every client of Redis in the process.
func newClient(opts redis.UniversalOptions) redis.UniversalClient {
	opts.Addrs = slices.Clone(opts.Addrs) // a cluster's client appends the nodes it finds
	if !opts.IsClusterMode {
		return redis.NewUniversalClient(&opts)
	}
	cluster := opts.Cluster()
	cluster.ClusterStateReloadInterval = topologyAge
	// With these policies the first command asks for a list of all commands, under a
	// lock, for as long as five seconds whatever the deadlines of those who wait.
	cluster.DisableRoutingPolicies = true
	client := redis.NewClusterClient(cluster)
	client.AddHook(sentOnce{})
	return client
}

// lent are the options of the client that others borrow.
func lent(opts redis.UniversalOptions) redis.UniversalOptions {
	opts.ReadTimeout, opts.WriteTimeout, opts.PoolTimeout = lentIO, lentIO, lentPool
	return opts
}

// sentOnce keeps a cluster's client from sending a command again whose answer was
// lost: it may have been executed. By MaxRedirects, go-redis does so up to three
// times even where MaxRetries forbids it. It still goes where MOVED and ASK point,
// which say that nothing was executed.
type sentOnce struct{}

// command is a command that is sent once.
type command struct{ redis.Cmder }

// NoRetry is [redis.Cmder]'s.
func (command) NoRetry() bool { return true }

// DialHook is [redis.Hook]'s.
func (sentOnce) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook is [redis.Hook]'s.
func (sentOnce) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { return next(ctx, command{cmd}) }
}

// ProcessPipelineHook is [redis.Hook]'s.
func (sentOnce) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		once := make([]redis.Cmder, len(cmds))
		for i, cmd := range cmds {
			once[i] = command{cmd}
		}
		return next(ctx, once)
	}
}
