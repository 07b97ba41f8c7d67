package cache

import (
	"sync"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// maxGraves bounds how many forgotten keys of one operation are told apart.
const maxGraves = 10_000

// graves remember when keys were forgotten. An answer whose load began no later
// is dead, whichever tier or flight it comes from, in every market at once.
type graves struct {
	mu  sync.RWMutex
	ops map[commerce.Operation]*yard
}

type yard struct {
	keys map[string]time.Time // by the key's text
	all  time.Time            // every key was forgotten then
}

// bury forgets keys of op as of now.
func (g *graves) bury(op commerce.Operation, texts []string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ops == nil {
		g.ops = map[commerce.Operation]*yard{}
	}
	y := g.ops[op]
	if y == nil {
		y = &yard{keys: map[string]time.Time{}}
		g.ops[op] = y
	}
	if len(y.keys)+len(texts) > maxGraves {
		// Forgetting too much costs a load; forgetting to forget would show an old value.
		clear(y.keys)
		y.all = now
	}
	for _, text := range texts {
		y.keys[text] = now
	}
}

// buried tells whether what began at a time was forgotten since.
func (g *graves) buried(op commerce.Operation, text string, began time.Time) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	y := g.ops[op]
	if y == nil {
		return false
	}
	died, ok := y.keys[text]
	return (ok && !began.After(died)) || (!y.all.IsZero() && !began.After(y.all))
}
