package limits

import (
	"math"
	"slices"
	"time"
)

const (
	// lookEvery is how often it is looked whether there is time for who waits.
	lookEvery = time.Millisecond
	// atLeastEvery is how often somebody is let in however late the process is.
	atLeastEvery = 10 * time.Millisecond
	// longest is how long somebody waits: after that they are refused.
	longest = 2 * time.Second

	// A line of more than few that is longer than it ever was, although there was time to shrink,
	// and that takes tooLong to serve, is one of an overload: more comes than is served. Both
	// times are of processors: while a neighbor has them nobody can be served.
	few          = 8
	timeToShrink = 20 * time.Millisecond
	tooLong      = 100 * time.Millisecond
	// An overload is over when in so long no more than one in toServe had to be refused: with
	// the share that was held back, and a longer line, all can be served.
	calm    = 100 * time.Millisecond
	toServe = 3
	// Of the time of its processors a process that is overloaded gives to requests at most
	// this part. The rest lets it look at what comes, and answer what is kept, in time.
	share = 0.8
)

// waiter is a request in line.
type waiter struct {
	since time.Time
	told  chan bool // whether to come in
}

// line is who waits: the most important first, of a class who came first. The gate's mutex
// guards it.
type line struct {
	bill

	waiting [Order + 1][]waiter
	length  int
	watched bool // somebody looks after it

	began time.Duration // what was used when there was nobody in it
	peak  int           // the most since then
	last  time.Time     // when somebody was let in

	overloaded bool
	credit     time.Duration // of processor time, which requests may take
	seen       time.Time     // when the credit was counted
	judged     time.Time     // when it was judged whether it still is an overload
	asked      int           // since then
	refused    int           // of those
}

// begin has the line begin.
func (l *line) begin(now time.Time, used time.Duration, processors int) {
	l.bill = newBill(used, processors)
	l.began, l.last, l.peak = used, now, 0
}

// account notes what the process used, and gives requests their share of what there is.
func (l *line) account(now time.Time, used time.Duration) {
	l.measure(used)
	l.credit = min(l.credit+time.Duration(share*float64(l.all(now.Sub(l.seen)))), l.all(lookEvery))
	l.seen = now
}

// due tells whether there is processor time for somebody.
func (l *line) due() bool { return l.credit >= 0 }

// settle ends an overload that is over.
func (l *line) settle(now time.Time) {
	if !l.overloaded || now.Sub(l.judged) < calm {
		return
	}
	if gone := now.Sub(l.judged) >= 2*calm; gone || l.refused*toServe <= l.asked { // gone are all who asked
		l.overloaded, l.began, l.peak, l.most = false, l.used, l.length, math.MaxInt64
	}
	l.judged, l.asked, l.refused = now, 0, 0
}

// join puts a newcomer into the line, or refuses by answering nil. In an overload as many
// may wait as are inside: waiting takes about as long as being served.
func (l *line) join(c Class, inside int, now time.Time) <-chan bool {
	l.asked++
	if l.overloaded && !l.soon(l.before(c), inside) {
		l.refused++
		return nil
	}
	w := waiter{since: now, told: make(chan bool, 1)}
	l.waiting[c] = append(l.waiting[c], w)
	l.length++
	if l.length > l.peak {
		l.peak = l.length
		l.grown(inside, now)
	}
	return w.told
}

// grown looks whether a line that is longer than ever, or that nobody else finds room in, is
// that of an overload.
func (l *line) grown(inside int, now time.Time) {
	if !l.overloaded && l.length > few && l.used-l.began > l.all(timeToShrink) && l.serving(l.length) > tooLong {
		l.shed(inside, now)
	}
}

// soon tells whether somebody who has n before them waits for no longer than it takes to be
// served: of as many as are inside, one after the other leaves.
func (l *line) soon(n, inside int) bool { return n < max(1, inside) && l.serving(n) <= tooLong/2 }

// before is how many a newcomer of a class would have before them.
func (l *line) before(c Class) (n int) {
	for _, of := range l.waiting[c:] {
		n += len(of)
	}
	return n
}

// shed begins an overload: of those who wait they stay who came last and whose turn is soon.
func (l *line) shed(inside int, now time.Time) {
	l.overloaded, l.credit, l.seen = true, 0, now
	l.judged, l.asked, l.refused = now, 0, 0
	l.most = 3 * l.cost / 2
	stay := 1
	for l.soon(stay, inside) {
		stay++
	}
	for c := Order; c > Cheap; c-- {
		keep := min(stay, len(l.waiting[c]))
		stay -= keep
		l.refuse(c, len(l.waiting[c])-keep)
	}
}

// expire refuses who waited too long.
func (l *line) expire(now time.Time) {
	for c, of := range l.waiting {
		n := 0
		for n < len(of) && now.Sub(of[n].since) >= longest {
			n++
		}
		l.refuse(Class(c), n)
	}
}

// refuse tells the first n of a class to come back later.
func (l *line) refuse(c Class, n int) {
	for _, w := range l.waiting[c][:n] {
		w.told <- false
	}
	l.waiting[c] = slices.Delete(l.waiting[c], 0, n)
	l.length -= n
}

// admit lets the first in, if there is one.
func (l *line) admit(now time.Time) bool {
	for c := Order; c > Cheap; c-- {
		if of := l.waiting[c]; len(of) > 0 {
			of[0].told <- true
			l.waiting[c] = slices.Delete(of, 0, 1)
			l.length--
			l.came++
			l.last = now
			l.credit -= l.cost
			return true
		}
	}
	return false
}
