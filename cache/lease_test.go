package cache

import (
	"context"
	"net"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// trips are the round trips that a client makes to Redis, each with its commands.
type trips struct {
	mu  sync.Mutex
	all []string
}

// watchTrips notes what c sends to Redis from now on.
func watchTrips(c *Cache) *trips {
	t := &trips{}
	c.remote.client.AddHook(t)
	return t
}

func (t *trips) list() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all
}

func (t *trips) note(cmds ...redis.Cmder) {
	names := make([]string, len(cmds))
	for i, cmd := range cmds {
		names[i] = cmd.Name()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, strings.Join(names, " "))
}

func (t *trips) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (t *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		t.note(cmd)
		return next(ctx, cmd)
	}
}

func (t *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		t.note(cmds...)
		return next(ctx, cmds)
	}
}
