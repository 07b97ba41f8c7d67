package cache

import (
	"runtime"
	"sync"
	"time"
)

const (
	// putDelay is how long an answer waits for others to go to Redis with; no request waits for it.
	putDelay = time.Millisecond
	// maxGatheredPuts and maxGatheredAsks bound what goes at a time, in bytes and in keys.
	maxGatheredPuts = 1 << 20
	maxGatheredAsks = 500
)

// gatherer has what several goroutines bring at about one time sent by one of them.
type gatherer[T any] struct {
	mu      sync.Mutex
	size    int // of what waits
	waiting []T
	led     bool // somebody is about to send what waits
}

// goes says how much is sent at a time, at most, and what the first waits for.
type goes struct {
	most  int
	pause func()
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
	g.led, g.size, g.waiting = false, 0, nil
	return all
}

var (
	// soon lets those go first who are ready to run: whatever they ask for goes along. On an
	// idle machine that takes no time at all.
	soon = goes{most: maxGatheredAsks, pause: runtime.Gosched}
	// atLeisure is for what no request waits for.
	atLeisure = goes{most: maxGatheredPuts, pause: func() { time.Sleep(putDelay) }}
)
