package cache

import (
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// ways are how a value was come by, as its reader is told.
var ways = [len(everyServed)]commerce.Way{
	memoryFresh: commerce.WayMemory, memoryStale: commerce.WayMemory, memoryAbsent: commerce.WayMemory,
	redisFresh: commerce.WayRedis, redisStale: commerce.WayRedis,
	upstreamFresh: commerce.WayLoaded, upstreamAbsent: commerce.WayLoaded, upstreamFailed: commerce.WayLoaded, upstreamLate: commerce.WayLoaded,
	uncached: commerce.WayDirect,
}

// waits are what one caller waited for. Each key's source leads to what was waited for it,
// which leads to the trail of its load: nothing is copied unless somebody looks. What came
// together was waited for once.
type waits struct {
	began time.Time
	last  *commerce.Wait
}

// end tells a source what was waited for until now; trail is nil when its system was
// not asked.
func (s *waits) end(source *commerce.Source, trail *commerce.Trail, now time.Time) {
	took := now.Sub(s.began)
	if s.last == nil || s.last.Took != took || s.last.Trail != trail {
		s.last = &commerce.Wait{Asked: s.began, Took: took, Trail: trail}
	}
	source.Wait = s.last
}

// tell ends the wait for the place i.
func (w *waiter) tell(told *waits, i int) {
	at := &w.sources[i]
	told.end(at, w.last.trail.Load(), w.now)
	if at.Way = ways[w.results[i].served]; at.Way == commerce.WayLoaded && w.last.by != w.request {
		at.Way = commerce.WayJoined
	}
}

// tell has those who wait for p given what its making took, with an answer of their
// own: the one that is kept holds nothing of it.
func (p *production) tell(spent any) {
	if spent != nil {
		own := *p.answer
		own.Spent = spent
		p.answer = &own
	}
}
