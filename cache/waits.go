package cache

import (
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// ways are how a value was come by, as its reader is told.
var ways = map[string]commerce.Way{
	memoryFresh.tier: commerce.WayMemory, redisFresh.tier: commerce.WayRedis, upstreamFresh.tier: commerce.WayLoaded, uncached.tier: commerce.WayDirect,
}

// waits are what one caller waited for. Each key's source leads to its own, which
// leads to the trail of its load: nothing is copied unless somebody looks.
type waits struct {
	began time.Time
	list  []commerce.Wait
}

func newWaits(began time.Time, keys int) waits {
	return waits{began: began, list: make([]commerce.Wait, 0, keys)}
}

// end tells a source what was waited for until now; trail is nil when its system was
// not asked.
func (s *waits) end(source *commerce.Source, trail *commerce.Trail) {
	s.list = append(s.list, commerce.Wait{Asked: s.began, Took: time.Since(s.began), Trail: trail})
	source.Wait = &s.list[len(s.list)-1]
}

// tell ends the wait for the place i.
func (w *waiter) tell(told *waits, i int) {
	res := &w.results[i]
	told.end(&res.source, w.last.trail.Load())
	if res.source.Way = ways[res.served.tier]; res.source.Way == commerce.WayLoaded && w.last.by != w.request {
		res.source.Way = commerce.WayJoined
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
