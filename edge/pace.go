package edge

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/portico-bff/portico/edge/config"
)

const (
	// heapRoom is how large the heap may become before garbage is collected, in bytes. To
	// collect costs what is alive, however little garbage there is, and requests wait while it
	// lasts: with Go's own pace, 100 % of what is alive, a busy process with 10 MiB of it does
	// so many times a second. A cache with its budgets spent has half of it alive.
	heapRoom = 56 << 20
	// collectEvery is about how often garbage is collected at least while there is less of
	// it: an idle process has no use for room, and stays small. Who was idle for a moment
	// has use for it again.
	collectEvery = 10 * time.Second
	// leastPercent is Go's own pace, which a heap has of which half its room is alive.
	leastPercent = 100
)

// PaceGC has this process's garbage collected less often than Go would while the heap is
// small and the process busy, and as Go would otherwise; until b is closed. It does nothing
// where environ, a list of KEY=VALUE, has GOGC or GOMEMLIMIT: then the operator has said it.
// The pace is the process's, so it is who owns the process that calls this, once. b's
// cache is made by then, for the pace that a heap has which a cache has filled.
func (b *Backend) PaceGC(environ []string) {
	said := config.Map(environ)
	if said["GOGC"] != "" || said["GOMEMLIMIT"] != "" {
		return
	}
	b.pace = &pacer{before: debug.SetGCPercent(leastPercent), percent: leastPercent, last: sample()}
	b.pace.watch()
}

// pacer adjusts the percent once a collection.
type pacer struct {
	before int // the percent to put back

	mu      sync.Mutex
	last    heap // at the last collection
	percent int  // in force
	stopped bool
}

// watch has p adjusted once the next collection is over: it finds an object that nothing
// refers to.
func (p *pacer) watch() {
	type unused struct{ self *pacer } // with a pointer: else others would share its memory, and keep it
	runtime.AddCleanup(&unused{self: p}, func(p *pacer) {
		if p.adjust(sample()) {
			p.watch()
		}
	}, p)
}

// adjust answers false when p was stopped. To set the percent stops the process for some
// microseconds, so what hardly differs is left.
func (p *pacer) adjust(now heap) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return false
	}
	percent := percentOf(p.last, now)
	p.last = now
	if 16*max(percent-p.percent, p.percent-percent) > p.percent {
		p.percent = percent
		debug.SetGCPercent(percent)
	}
	return true
}

// stop puts back the percent that was. A nil p has none.
func (p *pacer) stop() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stopped {
		p.stopped = true
		debug.SetGCPercent(p.before)
	}
}

// percentOf is how much garbage there may be, in percent of what is scanned: what comes
// about until the next collection is due, at the rate since the last one.
func percentOf(last, now heap) int {
	rate := float64(now.allocated-last.allocated) / max(now.at.Sub(last.at).Seconds(), 0.001)
	room := min(heapRoom-float64(now.scanned), rate*collectEvery.Seconds())
	return max(leastPercent, int(100*room/float64(max(now.scanned, 1<<20))))
}

// heap is what the runtime tells of it at a time.
type heap struct {
	at        time.Time
	allocated uint64 // bytes since the process began
	scanned   uint64 // bytes that percent is of: what was alive after the last collection, stacks, globals
}

func sample() heap {
	samples := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(samples)
	h := heap{at: time.Now(), allocated: samples[0].Value.Uint64()}
	for _, s := range samples[1:] {
		h.scanned += s.Value.Uint64()
	}
	return h
}
