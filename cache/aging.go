package cache

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// span is the ages between which an entry is as good as new: all its lifetime, or the
// last part of it that this process may give it for without hearing others.
type span struct{ from, until time.Duration }

// at is the age at which so many percent of the span have passed.
func (s span) at(percent int64) time.Duration {
	return s.from + time.Duration(int64(s.until-s.from)*percent/100)
}

// lead is how long before the span's end a load has to begin that usually takes so long.
func (s span) lead(takes time.Duration) time.Duration {
	length := s.until - s.from
	return min(max(2*takes, length*leastLead/100), length*mostLead/100)
}

// hearing is how long ago others may have been heard last when all is well.
const hearing = time.Second

// span is when e is as good as new. While others are not heard, e may have been
// invalidated by any of them since they last were, or since it was loaded: then it is
// as good as new for no longer than c.unheard from there.
func (c *Cache) span(e *entry, now time.Time) span {
	whole := span{until: e.fresh}
	if c.news == nil || c.unheard == 0 {
		return whole
	}
	last := c.news.lastHeard()
	if now.Sub(last) < hearing {
		return whole
	}
	from := max(-e.older(), last.Sub(e.began))
	if from+c.unheard >= e.fresh {
		return whole
	}
	return span{from, from + c.unheard}
}

// older is by how much the oldest part of a whole answer is older than the answer.
func (e *entry) older() time.Duration {
	if answer, ok := e.value.(*Answer); ok {
		return answer.oldest
	}
	return 0
}

// judge is what e, which may be nil, is good for at now.
func (c *Cache) judge(p *plan, e *entry, now time.Time) verdict {
	if e == nil {
		return useless
	}
	return p.policy.judge(e, c.span(e, now), now)
}

// due tells whether a read at now is to have e, which is aging, loaded anew.
func (c *Cache) due(p *plan, e *entry, now time.Time) bool {
	return e.due(c.span(e, now), p.takes.usual(), now)
}

// left is how much longer at now what is made of e may be kept.
func (c *Cache) left(p *plan, e *entry, now time.Time) time.Duration {
	return e.left(c.span(e, now), p.takes.usual(), now)
}

// lasts tells whether the whole answer e may be given at now. What is probably its last
// read makes it anew: then its parts are read too, and are loaded anew, before anybody
// waits for them. Parts of an answer that lasts as long as any may last longer.
func (c *Cache) lasts(e *entry, now time.Time) bool {
	s, age := c.span(e, now), e.age(now)
	switch {
	case age < s.at(watchFrom):
		return true
	case s == span{until: maxAnswerLife}:
		return age < s.until
	default:
		return age < s.until && !e.due(s, 0, now)
	}
}

// due tells whether a read of an aging entry is probably the last before its span ends,
// so that it has to have the entry loaded anew for the next one not to wait: that one
// may come after twice the longest time between two reads since watchFrom, and a load
// takes time. A read that is not the last is noted. What was due stays so until then.
//
// Of what is read all the time no more is loaded than lifetimes call for; what is read
// a few times in a lifetime is loaded earlier, at refreshAt at the earliest.
func (e *entry) due(s span, takes time.Duration, now time.Time) bool {
	age, longest := e.age(now), time.Duration(e.gap.Load())
	gap := age - max(time.Duration(e.read.Load()), s.at(watchFrom))
	if age >= s.at(refreshAt) && age+2*max(gap, longest)+s.lead(takes) >= s.until {
		return true
	}
	if gap > longest {
		e.gap.Store(int64(gap))
	}
	e.read.Store(int64(age))
	return false
}

// left is how much longer what is made of the entry may be kept, without anybody
// looking at the entry: until it has to be loaded anew at the latest. Who reads it after
// that has it loaded anew, and need not make the same again and again until that is
// done: what is left then is its lifetime.
func (e *entry) left(s span, takes time.Duration, now time.Time) time.Duration {
	age := e.age(now)
	if lead := s.until - s.lead(takes) - age; !e.missing && lead > 0 {
		return lead
	}
	return max(0, s.until-age)
}

// duration is what something usually takes: a mean in which the last few weigh most.
// It is safe for concurrent use.
type duration struct{ mean atomic.Int64 }

func (d *duration) usual() time.Duration { return time.Duration(d.mean.Load()) }

// took adds one. That two at a time may count as one does no harm.
func (d *duration) took(t time.Duration) {
	const weight = 8
	if old := d.mean.Load(); old == 0 {
		d.mean.Store(int64(t))
	} else {
		d.mean.Store(old + (int64(t)-old)/weight)
	}
}

// phase says how early in the spread of lifetimes something ends, from 0 to below 1.
type phase float64

// phases deals phases out so that any number of them in a row are spread evenly, which
// drawn ones are not: multiples of the golden ratio (Knuth, TAOCP 3, 6.4). Each process
// begins elsewhere. It is safe for concurrent use.
type phases struct{ dealt atomic.Uint64 }

func newPhases() *phases {
	p := &phases{}
	p.dealt.Store(rand.Uint64()) // spreads processes, guards nothing
	return p
}

func (p *phases) next() phase {
	const golden, fraction = 0x9E3779B97F4A7C15, 11 // a float64 holds 53 bits
	return phase((p.dealt.Add(1)*golden)>>fraction) / (1 << (64 - fraction))
}

// oneLife is how many entries of a load live equally long. What was loaded in one call,
// as a list's parts are, is then loaded anew in one call; different calls end apart, and
// so do the pieces of a very large one.
const oneLife = 100

// nextPhase is that of the next entry that the load brings, at the place i. What several
// requests had loaded in one call ends apart, as if each had made its own.
func (l *load) nextPhase(i int) phase {
	whose := 0
	if l.whose != nil {
		whose = l.whose[i]
	}
	if l.brought%oneLife == 0 || whose != l.phased {
		l.phase, l.phased = l.cache.phases.next(), whose
	}
	l.brought++
	return l.phase
}
