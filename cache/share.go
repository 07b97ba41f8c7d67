package cache

import (
	"context"
	"errors"
	mathrand "math/rand/v2"
	"slices"
	"time"
)

// errElsewhere ends a load that nobody waits for and that another process makes.
var errElsewhere = errors.New("another process loads it")

// sharing is a load that takes turns with those of other processes.
type sharing struct {
	*load
	token   string
	others  map[int]bool // those that another process was seen to load
	refused bool         // Redis answered, and would not say what it has
}

// share loads what no other process is loading and waits for the rest; what Redis has is
// taken from there. Where Redis answers and would not say what it has, all stays open.
func (l *load) share(ctx context.Context) {
	s := &sharing{load: l, token: l.cache.remote.token()}
	for round := 0; len(l.open) > 0; round++ {
		if round > 0 {
			if !pause(ctx) {
				l.timeUp(ctx)
				return
			}
		}
		l.restamp(l.open)
		if !s.turn(ctx) {
			if round == 0 && s.refused {
				return
			}
			l.fromSystem(ctx, slices.Clone(l.open), nil)
			return
		}
		if round > 0 {
			l.giveUp()
		}
	}
}

// looks is how often Redis is asked in a row about keys for which it has something that
// is of no use, before what else is to be loaded is loaded.
const looks = 2

// turn asks for the leases of what is open, once or as often as something new has
// come, and loads what this process is to load. It tells whether Redis answered.
func (s *sharing) turn(ctx context.Context) bool {
	for len(s.open) > 0 && s.cache.news.current.Load() {
		leases := s.leases()
		var mine []int
		again, answered := slices.Clone(s.open), true
		for look := 0; look < looks && len(again) > 0 && answered; look++ {
			replies, refused, ok := s.cache.remote.lease(ctx, leases.token, s.wanted(again))
			if answered = ok; !ok {
				s.refused = refused != nil && look == 0
				s.cache.remote.leased.add(countFailed, len(again))
				break
			}
			var granted []int
			granted, again = s.sort(leases, again, replies)
			if mine == nil {
				mine = granted
			} else {
				mine = append(mine, granted...)
			}
		}
		if len(mine) > 0 {
			s.loadHolding(ctx, mine, leases)
		}
		if !answered || len(again) == 0 {
			return answered
		}
	}
	return len(s.open) == 0
}

// leases are those of a turn, of which there are none yet. Their token says what every
// one of the loads knows of.
func (s *sharing) leases() *leaseSet {
	knows := s.flights[s.open[0]].stamp.global
	for _, i := range s.open {
		if at := s.flights[i].stamp.global; at.before(knows) {
			knows = at
		}
	}
	return &leaseSet{remote: s.cache.remote, token: knows.order() + s.token}
}

// wanted is what Redis is asked about the places which.
func (s *sharing) wanted(which []int) (q wanted) {
	for _, i := range which {
		q.add(s.berth(i), known{seen: s.seen[i], least: s.cache.tags.least(s.flights[i].tags)}, len(which))
	}
	return q
}

// sort lands what has arrived for the places which and says what this process is to load,
// with its leases; again is what something arrived for that is of no use.
func (s *sharing) sort(leases *leaseSet, which []int, replies leaseReplies) (mine, again []int) {
	var counts [countFailed + 1]int
	for n, i := range which {
		switch state := leaseState(replies.states[n]); state {
		case leaseArrived:
			if !s.arrived(i, replies.texts[0]) {
				again = append(again, i)
			}
			replies.texts = replies.texts[1:]
		case leaseGranted, leaseStolen:
			if mine == nil { // mostly all
				mine, leases.held = make([]int, 0, len(which)), slices.Grow(leases.held, len(which))
			}
			leases.held, mine = append(leases.held, s.berth(i)), append(mine, i)
			if s.others[i] || state == leaseStolen {
				counts[countTaken]++
			} else {
				counts[countGranted]++
			}
		case leaseFree:
			mine = append(mine, i)
		default:
			if !s.others[i] {
				if s.others == nil {
					s.others = map[int]bool{}
				}
				s.others[i] = true
				counts[countHeld]++
			}
		}
	}
	for which, n := range counts {
		s.cache.remote.leased.add(which, n)
	}
	return mine, again
}

// arrived lands a flight with what another process stored, if that is current.
func (s *sharing) arrived(i int, text string) bool {
	if s.seen == nil {
		s.seen = map[int]string{}
	}
	s.seen[i] = checksumOf(text)
	found, ok := s.cache.remote.open(s.cache.ctx, s.keys[i], text, time.Now())
	if !ok || !s.adopt(i, found) {
		return false
	}
	s.close(i)
	return true
}

// loadHolding loads the places which while their leases are renewed.
func (s *sharing) loadHolding(ctx context.Context, which []int, leases *leaseSet) {
	defer s.cache.remote.put(ctx, nil, leases) // if the load did not end the usual way
	if !leases.none() {
		defer leases.renew(ctx)()
	}
	s.restamp(which)
	s.fromSystem(ctx, which, leases)
}

// restamp is for flights that nothing was loaded for yet: what they are given from now
// on is read or loaded later than everything that was invalidated by now.
func (l *load) restamp(which []int) {
	l.cache.flights.mu.Lock()
	defer l.cache.flights.mu.Unlock()
	now := l.cache.tags.stamped()
	for _, i := range which {
		l.flights[i].stamp = now
	}
}

// giveUp ends the flights that nobody waits for: the process that loads them stores
// what they would have brought.
func (l *load) giveUp() {
	l.cache.flights.mu.Lock()
	defer l.cache.flights.mu.Unlock()
	for _, i := range slices.Clone(l.open) {
		f := l.flights[i]
		if f.waiting > 0 {
			continue
		}
		l.cache.flights.remove(l.keys[i], f)
		f.err, f.served = errElsewhere, upstreamLate
		l.close(i)
		f.ends()
	}
}

// timeUp lands what has waited until the load's end.
func (l *load) timeUp(ctx context.Context) {
	for _, i := range slices.Clone(l.open) {
		f := l.flights[i]
		f.err, f.served = l.plan.flightError(ctx.Err()), upstreamLate
		l.fellThrough(i, f)
		l.close(i)
		l.cache.land(l.keys[i], f)
	}
}

// close takes the place i off those that are open.
func (l *load) close(i int) {
	l.open = slices.DeleteFunc(l.open, func(o int) bool { return o == i })
}

// refresh has the places which loaded anew, for nobody who waits.
func (c *Cache) refresh(ctx context.Context, r *request, which []int) []*flight {
	flights := c.fly(ctx, r, which)
	for _, i := range which {
		c.leave(r.plan, flights[i])
	}
	return flights
}

// ages tells whether e, from Redis, and what memory holds for the key at place i are both
// worth loading anew: to take e over would have it asked for again and again.
func (l *load) ages(i int, e *entry, now time.Time) bool {
	if e.age(now) < l.cache.span(e, now).at(refreshAt) {
		return false
	}
	old := l.cache.memory.get(l.keys[i])
	return l.cache.judge(l.plan, old, now) == aging && l.cache.tags.alive(old)
}

// renews tells whether memory holds an answer to the key at place i that was as good as
// new when its load began: then it ends apart from its neighbours already, and what
// comes in its place may have the whole lifetime.
func (l *load) renews(i int) bool {
	if l.flights[i].bare {
		return false
	}
	old := l.cache.memory.get(l.keys[i])
	if old == nil || old.missing || !l.cache.tags.alive(old) {
		return false
	}
	began := l.flights[i].began
	// While others are not heard everything is renewed at once.
	return l.cache.span(old, began) == span{until: old.fresh} && old.age(began) < old.fresh
}

// pause waits until it is time to look again; false when ctx ended before.
func pause(ctx context.Context) bool {
	timer := time.NewTimer(leaseLook + mathrand.N(leasePlay)) // spreads processes, guards nothing
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
