package transport

import (
	"sync"
	"time"
)

const (
	breakerSlots = 10 // seconds that the closed state looks back on
	breakerSlot  = time.Second

	// breakerLeast is how many calls must have been bad before their share counts.
	// Of 20 calls in all, ten are bad every twentieth time at 30 % failures.
	breakerLeast = 20
	// breakerStreak is how many calls make a streak of nothing but bad ones, if
	// they go on for breakerPatience.
	breakerStreak   = 5
	breakerPatience = time.Second

	// probeEvery is the distance of two probes.
	probeEvery = time.Second
)

type breakerState uint8

const (
	breakerClosed   breakerState = iota // calls pass
	breakerOpen                         // calls are refused
	breakerHalfOpen                     // calls are refused while a probe is out
)

func (s breakerState) String() string {
	switch s {
	case breakerOpen:
		return "open"
	case breakerHalfOpen:
		return "half-open"
	default:
		return "closed"
	}
}

// verdict is what an attempt says about its upstream.
type verdict uint8

const (
	verdictNone verdict = iota // nothing: it was cancelled, or never sent
	verdictGood
	verdictBad
)

// breaker refuses an operation's calls while its upstream fails them, and lets
// one a second through to see whether it still does. It is our own because a
// permit of failsafe-go's half-open state cannot be given back: a probe that
// hangs would keep it, and everyone out, for its whole timeout.
type breaker struct {
	changed func(from, to breakerState)
	begun   time.Time

	mu    sync.Mutex
	is    breakerState
	epoch uint64 // of the closed or open state; permits of another epoch settle nothing

	// Closed.
	slots      [breakerSlots]breakerCount
	streak     int           // bad calls since the last good one
	streakFrom time.Duration // since begun, the first of them
	streakTo   time.Duration // and the last

	// Open and half-open.
	probes int           // out
	next   time.Duration // since begun: when the next may go
}

// breakerCount is what ended in one second.
type breakerCount struct {
	second    int64 // since begun
	good, bad int
}

// breakerPermit allows one attempt. The zero permit settles nothing.
type breakerPermit struct {
	of    *breaker
	epoch uint64
	probe bool
}

// newBreaker is a closed breaker. It calls changed, which may be nil, after each
// change of state, outside of its lock.
func newBreaker(changed func(from, to breakerState)) *breaker {
	return &breaker{changed: changed, begun: time.Now()}
}

// acquire asks to make an attempt. When it is refused, the duration is the time
// until the next probe.
func (b *breaker) acquire() (breakerPermit, time.Duration, bool) {
	b.mu.Lock()
	from := b.is
	permit, wait, ok := b.admit()
	to := b.is
	b.mu.Unlock()
	b.tell(from, to)
	return permit, wait, ok
}

func (b *breaker) admit() (breakerPermit, time.Duration, bool) {
	if b.is == breakerClosed && b.streak < breakerStreak {
		return breakerPermit{of: b, epoch: b.epoch}, 0, true
	}
	now := time.Since(b.begun)
	// Between two answers the streak may have become long enough. An old one says
	// nothing about now.
	if b.is == breakerClosed && now-b.streakTo <= breakerPatience && b.hopeless(now) {
		b.open(now)
	}
	switch {
	case b.is == breakerClosed:
		return breakerPermit{of: b, epoch: b.epoch}, 0, true
	case now < b.next:
		return breakerPermit{}, b.next - now, false
	default:
		b.is = breakerHalfOpen
		b.probes++
		b.next = now + probeEvery
		return breakerPermit{of: b, epoch: b.epoch, probe: true}, 0, true
	}
}

// settle says how the attempt ended, once. A permit that was given before the
// breaker last opened or closed changes nothing.
func (p breakerPermit) settle(v verdict) {
	b := p.of
	if b == nil || (v == verdictNone && !p.probe) {
		return
	}
	b.mu.Lock()
	from := b.is
	switch {
	case p.epoch != b.epoch:
	case p.probe:
		b.probed(v)
	default:
		b.count(v)
	}
	to := b.is
	b.mu.Unlock()
	b.tell(from, to)
}

// probed takes up how a probe ended. An earlier one that was given up as hung
// counts too: an upstream that is well but needs more than a second must not stay
// shut out.
func (b *breaker) probed(v verdict) {
	if v == verdictGood {
		b.close()
		return
	}
	if b.probes--; b.probes <= 0 {
		b.is, b.probes = breakerOpen, 0
	}
}

// count takes up a verdict while closed. Only a bad one can open.
func (b *breaker) count(v verdict) {
	now := time.Since(b.begun)
	slot := b.slotOf(now)
	if v == verdictGood {
		slot.good++
		b.streak = 0
		return
	}
	slot.bad++
	if b.streak == 0 || now-b.streakTo > breakerSlots*breakerSlot {
		b.streak, b.streakFrom = 0, now
	}
	b.streak++
	b.streakTo = now
	if b.hopeless(now) || b.mostlyBad(now) {
		b.open(now)
	}
}

func (b *breaker) slotOf(now time.Duration) *breakerCount {
	second := int64(now / breakerSlot)
	slot := &b.slots[second%breakerSlots]
	if slot.second != second {
		*slot = breakerCount{second: second}
	}
	return slot
}

// hopeless tells whether nothing but bad calls has ended for long enough.
func (b *breaker) hopeless(now time.Duration) bool {
	return b.streak >= breakerStreak && now-b.streakFrom >= breakerPatience
}

// mostlyBad tells whether half of the calls of the last 10 s were bad, and enough.
func (b *breaker) mostlyBad(now time.Duration) bool {
	good, bad := 0, 0
	since := int64(now/breakerSlot) - breakerSlots
	for _, slot := range b.slots {
		if slot.second > since {
			good += slot.good
			bad += slot.bad
		}
	}
	return bad >= breakerLeast && bad >= good
}

func (b *breaker) open(now time.Duration) {
	b.is = breakerOpen
	b.epoch++
	b.probes = 0
	b.next = now + probeEvery
}

func (b *breaker) close() {
	b.is = breakerClosed
	b.epoch++
	b.streak = 0
	b.slots = [breakerSlots]breakerCount{}
}

// state is the present one.
func (b *breaker) state() breakerState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.is
}

func (b *breaker) tell(from, to breakerState) {
	if from != to && b.changed != nil {
		b.changed(from, to)
	}
}
