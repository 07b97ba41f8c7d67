package cache

import (
	"context"
	"slices"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// ask calls the system for the places which. A panic in it becomes an error of each.
func (l *load) ask(ctx context.Context, which []int) (answers []answer) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if p := recover(); p != nil {
			l.panicked(ctx)
		}
		answers = make([]answer, len(which))
		for n := range answers {
			answers[n].err = errPanic
		}
	}()
	l.plan.counts.calls.Add(1)
	l.plan.counts.loads.Add(int64(len(which)))
	begun := time.Now()
	answers = l.load(ctx, which)
	returned = true
	if slices.ContainsFunc(answers, func(a answer) bool { return a.err == nil }) {
		l.plan.takes.took(time.Since(begun))
	}
	return answers
}

// settle keeps what the system answered, lands the flights, and says what Redis should hold.
// What they will not find there, its lease tells them.
func (l *load) settle(which []int, answers []answer, outcomes []commerce.Reason, leases *leaseSet) []write {
	var writes []write
	past := false // memory
	if l.plan.remote {
		writes, past = make([]write, 0, len(which)), l.cache.passing()
	}
	all := l.harvest(len(which), past)
	settled := 0
	defer func() { // also when something below panics: nothing lands twice
		l.land(which[:settled])
		l.open = slices.DeleteFunc(l.open, func(i int) bool { return l.flights[i].landed.Load() })
		if settled < len(which) {
			l.cache.arrived(writes, false) // nobody is told of them
		}
	}()
	for n, i := range which {
		f, a := l.flights[i], answers[n]
		f.outcomes = outcomes
		switch {
		case a.err != nil:
			f.err, f.served = l.plan.flightError(a.err), upstreamFailed
			l.fellThrough(i, f)
		case !a.found:
			f.entry, f.served = notFound(f.began, l.plan.policy).of(l.plan, l.keys[i]).tagged(f.tags, *f.stamp), upstreamAbsent
			f.entry.joint = f.joint
			if l.plan.policy.Negative > 0 && l.cache.tags.alive(f.entry) {
				l.cache.memory.put(l.keys[i], f.entry, l.plan.policy.Negative)
				if l.plan.remote {
					leases.unshared(l.address(i))
					writes = append(writes, write{address: l.address(i)})
				}
			}
		default:
			f.entry, f.served = all.entry(i, a.value), upstreamFresh
			if !l.renews(i) {
				f.entry.apart(l.nextPhase(i))
			}
			if w, ok := l.keep(i, f, past); ok {
				writes = append(writes, w)
			} else if leases != nil && l.cache.tags.alive(f.entry) {
				leases.unshared(l.address(i))
			}
		}
		settled = n + 1
	}
	return writes
}

// keep stores what f brought in memory and, where others may have it, says what Redis is to
// hold; past says that memory has no room for what is new. What was invalidated meanwhile is not kept,
// and nothing is given to others that does not say what its load knew of.
func (l *load) keep(i int, f *flight, past bool) (write, bool) {
	e := f.entry
	if l.plan.policy.Fresh == 0 || !l.cache.tags.alive(e) {
		return write{}, false
	}
	if !l.plan.remote || e.stamp.global.zero() {
		l.remember(f)
		return write{}, false
	}
	if past && f.bare && l.cache.tags.admits(e.tags, e.stamp.global, e.stamp.local) {
		f.leaves = true
		return write{entry: e, address: l.address(i), leaving: f}, true
	}
	l.remember(f)
	return write{entry: f.entry, address: l.address(i)}, true
}

// remember has memory keep what f brought.
func (l *load) remember(f *flight) {
	f.entry = f.entry.alone()
	l.cache.memory.put(f.entry.key, f.entry, l.plan.policy.life())
}

// fellThrough holds back further loads for a while where a stale answer can stand in.
func (l *load) fellThrough(i int, f *flight) {
	if !outage(f.err) {
		return
	}
	now := time.Now()
	if e := f.stale.Load(); e != nil && l.cache.judge(l.plan, e, now) != useless {
		l.cache.memory.put(e.key, e, l.plan.policy.life())
	}
	if e := l.cache.memory.get(l.keys[i]); e != nil && !e.missing {
		e.failed(now, f.err)
	}
}

// land ends the flights at the places which.
func (l *load) land(which []int) {
	l.cache.flights.mu.Lock()
	defer l.cache.flights.mu.Unlock()
	for _, i := range which {
		l.cache.landLocked(l.keys[i], l.flights[i])
	}
}
