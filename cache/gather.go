package cache

import (
	"runtime"
	"sync"
	"time"
)

const (
	// putDelay is how long an answer waits for others to go to Redis with; no request waits for it.
	putDelay = time.Millisecond
	// maxGatheredPuts and maxGatheredAsks bound what goes at a time, in keys.
	maxGatheredPuts = 4000
	maxGatheredAsks = 500
	// maxWritten is how many keys may wait that lie there as Redis gets them.
	maxWritten = 1000
)

// gatherer has what several goroutines bring at about one time sent by one of them.
type gatherer[T any] struct {
	mu      sync.Mutex
	size    int // of what waits
	waiting []T
	led     bool // somebody is about to send what waits
}

// goes says how much is sent at a time, at most, what the first waits for, and whether who sends
// goes on with what was brought meanwhile, with [gatherer.waits] and [gatherer.more].
type goes struct {
	most  int
	pause func()
	turns bool
}

// bring hands over item, which is as large as size says. It answers what the caller has to
// send, once the pause is over if it is the first, or nothing when another sends the item.
// What does not fit goes by itself. leads says that the caller goes on afterwards, as nobody
// else does until then.
func (g *gatherer[T]) bring(item T, size int, how goes) (all []T, leads bool) {
	g.mu.Lock()
	if g.led && g.size+size > how.most {
		g.mu.Unlock()
		return []T{item}, false
	}
	first := !g.led
	g.led, g.size, g.waiting = true, g.size+size, append(g.waiting, item)
	g.mu.Unlock()
	if !first {
		return nil, false
	}
	how.pause()
	return g.take(how.turns), how.turns
}

// holds is how much waits.
func (g *gatherer[T]) holds() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.size
}

// waits tells who leads whether something was brought meanwhile. If not, nobody leads any more.
func (g *gatherer[T]) waits() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.led = len(g.waiting) > 0
	return g.led
}

// more is what was brought while who leads sent, and within another pause, or nothing: then
// nobody leads any more.
func (g *gatherer[T]) more(how goes) []T {
	if !g.waits() {
		return nil
	}
	how.pause()
	return g.take(true)
}

// take is what waits; led says whether somebody still leads.
func (g *gatherer[T]) take(led bool) []T {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.waiting
	g.led, g.size, g.waiting = led, 0, nil
	return all
}

var (
	// soon lets those go first who are ready to run: whatever they ask for goes along. On an
	// idle machine that takes no time at all.
	soon = goes{most: maxGatheredAsks, pause: runtime.Gosched}
	// atLeisure is for what no request waits for: one sends at a time, however slow it goes.
	atLeisure = goes{most: maxGatheredPuts, pause: func() { time.Sleep(putDelay) }, turns: true}
)
