package transport

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/portico-bff/portico/schema/commerce"
)

// operation is what is remembered of one of the system's operations, or of one of
// the requests that it takes.
type operation struct {
	name    commerce.Operation
	step    string // see [Request]
	recent  *recent
	pace    *pace
	breaker *breaker
	labels  labelSets
}

type operationKey struct {
	name commerce.Operation
	step string
}

// operations are those that were called so far. Their names are constants of
// commerce, their steps constants of a connector, so there are few.
type operations struct {
	mu     sync.RWMutex
	byName map[operationKey]*operation
}

func (c *Client) operationOf(name commerce.Operation, step string) *operation {
	key := operationKey{name, step}
	c.operations.mu.RLock()
	known := c.operations.byName[key]
	c.operations.mu.RUnlock()
	if known != nil {
		return known
	}
	c.operations.mu.Lock()
	defer c.operations.mu.Unlock()
	if known := c.operations.byName[key]; known != nil {
		return known
	}
	if c.operations.byName == nil {
		c.operations.byName = map[operationKey]*operation{}
	}
	made := &operation{name: name, step: step, recent: newRecent(), pace: newPace(), breaker: newBreaker(func(from, to breakerState) { c.breakerChanged(key, from, to) })}
	c.operations.byName[key] = made
	return made
}

// list is every operation by name.
func (o *operations) list() []*operation {
	o.mu.RLock()
	defer o.mu.RUnlock()
	all := make([]*operation, 0, len(o.byName))
	for _, one := range o.byName {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *operation) int {
		return cmp.Or(strings.Compare(string(a.name), string(b.name)), strings.Compare(a.step, b.step))
	})
	return all
}

// breakerChanged logs what whoever is on call looks for first.
func (c *Client) breakerChanged(which operationKey, from, to breakerState) {
	if from == breakerOpen && to == breakerHalfOpen || from == breakerHalfOpen && to == breakerOpen {
		return // a probe and its failure: every second while it lasts
	}
	c.deps.Log.LogAttrs(context.Background(), slog.LevelWarn, "circuit breaker changed",
		slog.String("system", c.system),
		slog.String("role", c.deps.Role),
		slog.String("operation", string(which.name)),
		slog.String("step", which.step),
		slog.String("from", from.String()),
		slog.String("to", to.String()),
	)
}
