package limits

import (
	"slices"
	"time"
)

const (
	// lookEvery is how often it is looked whether there is time for who waits.
	lookEvery = time.Millisecond
	// little is how much time nobody minds. So much work is let in before anybody waits, so long
	// may somebody in an overload expect to wait, and so often is somebody let in at least.
	little = 10 * time.Millisecond
	// longest is how long somebody waits: after that they are refused.
	longest = 2 * time.Second

	// A line of more than few that is longer than it ever was, although there was time to shrink,
	// and that takes tooLong to serve, is one of an overload: more comes than is served. Both
	// times are of processors: while a neighbor has them nobody can be served.
	few          = 8
	timeToShrink = 20 * time.Millisecond
	tooLong      = 100 * time.Millisecond
	// An overload is over when nobody waits, and nobody had to be refused for so long.
	calm = 100 * time.Millisecond
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

	began  time.Duration // what was used when there was nobody in it
	peak   int           // the most since then
	last   time.Time     // when somebody was let in
	credit time.Duration // of processor time, which requests may take
	seen   time.Time     // when the credit was counted

	overloaded bool
	refused    time.Time // when somebody was, in an overload
}

// begin has the line begin.
func (l *line) begin(now time.Time, used time.Duration) {
	l.bill = newBill(l.processors, used, min(l.cost, little))
	l.began, l.peak, l.last = used, 0, now
}

// account notes what the process used, and how much of its time requests may take now: what
// is left before it is late; in an overload, if it is not late, all since the last look.
func (l *line) account(now time.Time, used, early time.Duration) {
	l.measure(used)
	switch since := now.Sub(l.seen); {
	case !l.overloaded:
		l.credit = l.all(early)
	case early > 0:
		l.credit += l.all(since)
	}
	l.seen = now
}

// settle ends an overload that is over.
func (l *line) settle(now time.Time) {
	l.overloaded = l.overloaded && (l.length > 0 || now.Sub(l.refused) < calm)
}

// join puts a newcomer into the line, or refuses by answering nil.
func (l *line) join(c Class, now time.Time) <-chan bool {
	if l.overloaded && !l.soon(l.before(c)) {
		l.refused = now
		return nil
	}
	w := waiter{since: now, told: make(chan bool, 1)}
	l.waiting[c] = append(l.waiting[c], w)
	l.length++
	if l.length > l.peak {
		l.peak = l.length
		l.grown(now)
	}
	return w.told
}

// before is how many a newcomer of a class would have before them.
func (l *line) before(c Class) (n int) {
	for _, of := range l.waiting[c:] {
		n += len(of)
	}
	return n
}

// soon tells whether somebody who has n before them is let in soon.
func (l *line) soon(n int) bool { return l.serving(n) <= little }

// grown looks whether a line that is longer than ever, or that nobody else finds room in, is
// that of an overload.
func (l *line) grown(now time.Time) {
	if l.length > few && l.used-l.began > l.all(timeToShrink) && l.serving(l.length) > tooLong {
		l.shed(now)
	}
}

// shed begins an overload: who only looks at something is refused, who shops on keeps their
// place.
func (l *line) shed(now time.Time) {
	l.overloaded, l.refused = true, now
	l.refuse(Read, len(l.waiting[Read]))
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

// clear refuses all.
func (l *line) clear() {
	for c, of := range l.waiting {
		l.refuse(Class(c), len(of))
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

// admit lets the first in.
func (l *line) admit(now time.Time) {
	c := Order
	for len(l.waiting[c]) == 0 {
		c--
	}
	l.waiting[c][0].told <- true
	l.waiting[c] = slices.Delete(l.waiting[c], 0, 1)
	l.length--
	l.last = now
	l.credit -= l.cost
}
