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

// Of what is served at once this part is kept free for writes and orders.
const headRoom = 5

// Gate bounds how many requests a channel serves at once, and has those wait in line that
// the process has no time for now, before anything is done for them. What counts is whether
// what is served is much work, and whether goroutines that can run do so at once: the systems
// behind are bounded each by its own bulkhead, and requests that wait for a slow one cost no
// processor time.
//
// The line takes bursts. One that still grows after a while is that of an overload: who is
// in it for long is refused, and until it is over requests are let in only while the process
// is not late, and refused at once where they would have to wait for long.
//
// It is safe for concurrent use. Who made it closes it.
type Gate struct {
	GateConfig

	mu      sync.Mutex
	inside  int
	line    line
	closed  bool // nobody waits any more
	watched bool // somebody looks after the line
	watch   sync.WaitGroup
}

// GateConfig is what a gate is told.
type GateConfig struct {
	Most int // inside and in line at once, whatever happens; 1 or more
	// LateFrom is how long what can run has to wait for a processor for the process to be
	// late. 0 never is: then nobody waits in line.
	LateFrom time.Duration
	Process  Process
}

// NewGate makes a gate. Until it is known what requests cost, one for each processor is as
// much as nobody minds.
func NewGate(cfg GateConfig) *Gate {
	return &Gate{GateConfig: cfg, line: line{bill: newBill(cfg.Process.Count, cfg.Process.Spent(), little)}}
}

// Enter lets a request in, maybe after it waited in line, or answers false: then it should
// come back after a second. Who was let in leaves by [Gate.Leave].
func (g *Gate) Enter(c Class) bool {
	if c == Cheap {
		return true
	}
	g.mu.Lock()
	idle := g.LateFrom == 0 || g.light()
	if !idle && g.open() {
		g.mu.Unlock()
		took := g.Process.Pass()
		g.mu.Lock()
		idle = took < g.LateFrom
	}
	place, in := g.decide(c, idle)
	g.mu.Unlock()
	if place != nil {
		return <-place
	}
	return in
}

// open tells whether who comes now has nobody before them.
func (g *Gate) open() bool { return g.line.length == 0 && !g.line.overloaded }

// decide lets a request in, gives it a place in line, or refuses it. A process that is idle
// has time for it.
func (g *Gate) decide(c Class, idle bool) (place <-chan bool, in bool) {
	now := time.Now()
	if g.inside+g.line.length >= g.room(c) {
		g.line.grown(now)
		return nil, false
	}
	g.line.settle(now)
	switch {
	case idle && g.open():
		g.enter()
		return nil, true
	case g.closed:
		return nil, false
	case g.open():
		g.line.begin(now, g.Process.Spent())
	}
	if place = g.line.join(c, now); place != nil && !g.watched {
		g.watched = true
		g.watch.Go(g.lookAfter)
	}
	return place, false
}

func (g *Gate) enter() {
	g.inside++
	g.line.came++
}

// Leave tells that a request that was let in is done.
func (g *Gate) Leave(c Class) {
	if c == Cheap {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.line.left++; g.line.known() {
		g.line.measure(g.Process.Spent())
	}
}

// Close refuses who waits, and from then on whoever would have to. It returns when nothing
// of the gate runs any more.
func (g *Gate) Close() {
	g.mu.Lock()
	g.closed = true
	g.line.clear()
	g.mu.Unlock()
	g.watch.Wait()
}

// lookAfter lets in who waits, until nobody does.
func (g *Gate) lookAfter() {
	for more := true; more; {
		time.Sleep(lookEvery) // what has come meanwhile is looked at before anybody else is let in
		before := g.Process.Spent()
		took := g.Process.Pass()
		used := g.Process.Spent()
		took = min(took, (used-before)/time.Duration(g.Process.Count)) // what a neighbor took is not our lateness
		g.mu.Lock()
		more = g.look(took, used)
		g.mu.Unlock()
	}
}

// look lets in who there is time for, and tells whether somebody still waits.
func (g *Gate) look(took, used time.Duration) bool {
	now := time.Now()
	g.line.expire(now)
	g.line.account(now, used, g.LateFrom-took)
	for g.line.length > 0 && (g.light() || g.line.credit > 0 || now.Sub(g.line.last) >= little) {
		g.line.admit(now)
		g.enter()
	}
	g.watched = g.line.length > 0
	return g.watched
}

// light tells whether what is inside is so little that who comes now waits for nobody. In an
// overload any is too much: who is refused would have to wait for it, too.
func (g *Gate) light() bool { return !g.line.overloaded && g.line.serving(g.inside) < little }

// Load is how much a gate has to do.
type Load struct {
	Inside, Waiting int
	// Pressure is how much of what reads may take is taken: 0 is none of it, 1 or more all.
	Pressure float64
}

// Load tells how much there is to do now.
func (g *Gate) Load() Load {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := Load{Inside: g.inside, Waiting: g.line.length}
	l.Pressure = float64(g.inside+g.line.length) / float64(g.room(Read))
	if g.line.settle(time.Now()); g.line.overloaded {
		l.Pressure = max(1, l.Pressure)
	}
	return l
}

// room is how many may be there for one of a class to come.
func (g *Gate) room(c Class) int {
	if c == Read {
		return g.Most - g.Most/headRoom
	}
	return g.Most
}
