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
)

// gatherer has what several goroutines bring at about one time sent by one of them.
type gatherer[T any] struct {
	mu      sync.Mutex
	size    int // of what waits
	waiting []T
	led     bool // somebody is about to send what waits
}

// goes says how much is sent at a time, at most, what the first waits for, and whether who sends
// comes back for what was brought meanwhile, with [gatherer.more].
type goes struct {
	most  int
	pause func()
	turns bool
}

// bring hands over item, which is as large as size says. It answers what the caller has to
// send, once the pause is over if it is the first, or nothing when another sends the item.
// What does not fit goes by itself.
func (g *gatherer[T]) bring(item T, size int, how goes) []T {
	g.mu.Lock()
	if g.led && g.size+size > how.most {
		g.mu.Unlock()
		return []T{item}
	}
	first := !g.led
	g.led, g.size, g.waiting = true, g.size+size, append(g.waiting, item)
	g.mu.Unlock()
	if !first {
		return nil
	}
	how.pause()
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.waiting
	g.led, g.size, g.waiting = how.turns, 0, nil
	return all
}

// more is what was brought while who asks sent, or within another pause, or nothing: then it
// is done, and so it is when it failed.
func (g *gatherer[T]) more(failed bool, how goes) []T {
	g.mu.Lock()
	g.led = len(g.waiting) > 0 && !failed
	goesOn := g.led
	g.mu.Unlock()
	if !goesOn {
		return nil // what waits goes with what is brought next
	}
	how.pause()
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.waiting
	g.led, g.size, g.waiting = len(all) > 0, 0, nil // who went by itself may have sent it
	return all
}

var (
	// soon lets those go first who are ready to run: whatever they ask for goes along. On an
	// idle machine that takes no time at all.
	soon = goes{most: maxGatheredAsks, pause: runtime.Gosched}
	// atLeisure is for what no request waits for: one sends at a time, however slow it goes.
	atLeisure = goes{most: maxGatheredPuts, pause: func() { time.Sleep(putDelay) }, turns: true}
)
