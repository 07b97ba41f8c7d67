package limits

import (
	"sync"
	"time"
)

// Class is what a request is to a channel that cannot serve all of them.
type Class uint8

// The classes. Cheap ones, such as kept answers and pages of our own, are never counted
// and never refused. Reads are refused first: who shops on can come back to a page.
const (
	Cheap Class = iota
	Read        // shows something
	Write       // changes something, such as a cart
	Order       // places an order
)

const (
	// leastServed is how many are served at once however late the process is.
	leastServed = 8
	// A look is taken this often, at fewer waits than this it shows nothing.
	lookEvery = 100 * time.Millisecond
	leastSeen = 16
	// Of what is served at once this part is kept free for writes and orders.
	headRoom = 5
)

// Lateness tells how long what could run had to wait for a processor since it was last
// asked: a tenth of it that long at least. seen is of how many waits that is said.
type Lateness func() (late time.Duration, seen int)

// Gate bounds how many requests a channel serves at once. It has a fixed ceiling, and
// below it one that follows how late the process is: the systems behind are bounded each
// by its own bulkhead, and one of them that is slow is no reason to refuse what needs
// another, so what counts here is only whether this process keeps up. Where it does not,
// serving fewer at once serves more in time: multiplicative decrease from what was really
// served, additive increase. It is safe for concurrent use and never blocks.
type Gate struct {
	GateConfig

	mu     sync.Mutex
	limit  int // now, between leastServed and most
	inside int
	peak   int // most inside since the last look
	looked time.Time
}

// GateConfig is what a gate is told.
type GateConfig struct {
	Most int // inside at once, whatever happens; 1 or more
	// LateFrom is how long a tenth of what can run has to wait for a processor for the
	// process to be late. One that is busy but well stays below a millisecond. 0 never is.
	LateFrom time.Duration
	Late     Lateness // of the process
	Now      func() time.Time
}

// NewGate makes a gate.
func NewGate(cfg GateConfig) *Gate {
	return &Gate{GateConfig: cfg, limit: cfg.Most, looked: cfg.Now()}
}

// Enter lets a request in, or answers false: then it should come back after a second.
// Who was let in leaves by [Gate.Leave].
func (g *Gate) Enter(c Class) bool {
	if c == Cheap {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.look()
	if g.inside >= g.room(c) {
		return false
	}
	g.inside++
	g.peak = max(g.peak, g.inside)
	return true
}

// Leave tells that a request that was let in is done.
func (g *Gate) Leave(c Class) {
	if c == Cheap {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
}

// InFlight is how many are inside.
func (g *Gate) InFlight() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside
}

// Pressure is how much of what reads may take is taken: 0 is none of it, 1 or more all.
func (g *Gate) Pressure() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return float64(g.inside) / float64(g.room(Read))
}

// room is how many may be inside for one of a class to come in.
func (g *Gate) room(c Class) int {
	if c == Read {
		return max(1, g.limit-g.limit/headRoom)
	}
	return g.limit
}

// look follows how late the process is, now and then.
func (g *Gate) look() {
	if g.LateFrom == 0 {
		return
	}
	now := g.Now()
	if now.Sub(g.looked) < lookEvery {
		return
	}
	switch late, seen := g.Late(); {
	case seen < leastSeen || late < g.LateFrom:
		g.limit = min(g.Most, g.limit+max(1, g.limit/8))
	case g.peak > leastServed: // with fewer inside it is late for another reason, such as its start or its neighbors
		g.limit = max(min(leastServed, g.Most), min(g.limit, g.peak)*7/10)
	}
	g.looked, g.peak = now, g.inside
}
