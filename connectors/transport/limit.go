package transport

import (
	"slices"
	"time"
)

const (
	// An attempt is slow beyond 1.5 × its operation's pace + 10 ms. In simulations
	// of systems whose throughput falls under contention, 1.5 kept 94 to 98 % of what
	// they can do where 2 kept 88 to 96 %; the slack keeps out the noise of operations that take
	// single milliseconds, and of our own machine.
	slowFactor = 1.5
	slowSlack  = 10 * time.Millisecond

	leastLimit = 8
	firstLimit = 32

	// A decision waits for this many votes and this long.
	leastVotes   = 10
	votingPeriod = 100 * time.Millisecond

	// lookAfter is how long a system must have been full before the limit makes a
	// calm moment to learn paces in. A process that starts under a burst is through
	// with it by then: with fewer at a time it would have had to refuse most of it.
	lookAfter = 3 * time.Second
)

// vote is what one finished attempt says about its system's load.
type vote uint8

const (
	voteNone    vote = iota // nothing: cancelled, never sent, or failed in a way that is no sign of load
	voteUsual               // it was answered about as fast as its operation is
	voteSlow                // it timed out, or was answered 429 or 503
	voteLonger              // it was answered, but took much longer than its operation takes
	voteUnknown             // it was answered, and nobody knows yet how long its operation takes
)

// latencyVote compares what an answered attempt took with how long its own
// operation takes, which is 0 while unknown. A system's operations differ by
// orders of magnitude: compared with one another, a shift of the mix would look
// like load.
func latencyVote(took, usual time.Duration) vote {
	switch {
	case usual == 0:
		return voteUnknown
	case took > time.Duration(slowFactor*float64(usual))+slowSlack:
		return voteLonger
	default:
		return voteUsual
	}
}

// limit finds how many attempts a system can take at once: additive increase,
// multiplicative decrease, by a majority of votes. A majority is a median: a heavy
// tail, or one slow operation among many, does not move it. Its bulkhead guards it.
//
// What is slow is said against paces, and they are learnt only while the system
// is not crowded. Learnt under load they would rise with the load they are to
// reveal, until overload looks normal and outlasts its cause. Where there is no
// calm moment to learn in for some seconds, the limit makes one: it goes to its floor.
// Until then a pace is guessed, and a limit that nothing has spoken against doubles.
type limit struct {
	at    int // now
	least int
	first int // below it even an idle system's limit grows back
	most  int

	votes    [voteUnknown + 1]int // since the last decision
	peak     int                  // most attempts inside since the last decision
	decided  time.Time            // the last decision
	full     time.Time            // since when every decision found the limit used up; zero: the last did not
	stale    int                  // votes still to come from attempts that began before the last change
	shrunk   bool                 // the last change was a decrease
	before   int                  // the limit before the decreases of late
	target   int                  // up to here it grows twofold: it has held before, or nothing has spoken against it yet
	growths  int                  // since the last decrease
	guesses  int                  // those of votes that were said against a guess
	calm     bool                 // the last decision found nothing wrong, and not by guesses
	learning int                  // counts how often paces proved outdated
	own      ownDelay
}

func newLimit(ceiling int) limit {
	most := max(ceiling, 1)
	first := min(firstLimit, most)
	return limit{at: first, least: min(leastLimit, most), first: first, most: most, target: most, decided: time.Now()}
}

// entered notes how many are inside.
func (l *limit) entered(inFlight int) { l.peak = max(l.peak, inFlight) }

// cast counts the vote of an attempt that has left with inFlight still inside,
// and decides when it is time to.
func (l *limit) cast(v vote, inFlight int) {
	if v == voteNone {
		return
	}
	// Those who began under an earlier limit would make it change several times
	// for one cause, and before the first change could show.
	if l.stale > 0 {
		l.stale--
		return
	}
	l.votes[v]++
	if l.total() < leastVotes {
		return
	}
	now := time.Now()
	if now.Sub(l.decided) < votingPeriod {
		return
	}
	l.decide(inFlight)
	l.votes, l.guesses, l.peak, l.decided = [voteUnknown + 1]int{}, 0, inFlight, now
}

func (l *limit) total() int {
	return l.votes[voteUsual] + l.votes[voteSlow] + l.votes[voteLonger] + l.votes[voteUnknown]
}

func (l *limit) decide(inFlight int) {
	l.noteFull()
	usual, unknown := l.votes[voteUsual], l.votes[voteUnknown]
	slow := l.votes[voteSlow] + l.votes[voteLonger]
	known := 2*(unknown+l.guesses) <= l.total()
	switch {
	case !known && !l.calm && l.mayLook():
		// Full from the start: how long anything takes by itself cannot be seen
		// from here. This is to look, so the way back is short.
		l.target = max(l.target, l.at)
		l.shrink(l.least, inFlight)
	case unknown > usual+slow:
	case clearly(slow, usual):
		l.tooMuch(inFlight)
	case usual >= slow:
		l.calm = l.calm || known
		if 2*l.peak >= l.at || l.at < l.first { // an idle system proves nothing about a higher limit
			l.grow(inFlight)
		}
	}
}

// mayLook tells whether there has been no calm moment for some seconds. While our own
// process is late nothing but that could be seen.
func (l *limit) mayLook() bool {
	return !l.full.IsZero() && time.Since(l.full) >= lookAfter && l.own.ofAttempt() < slowSlack
}

// noteFull remembers since when all of the limit has been used.
func (l *limit) noteFull() {
	switch {
	case l.peak < l.at:
		l.full = time.Time{}
	case l.full.IsZero():
		l.full = time.Now()
	}
}

// clearly tells a majority from chance: more than √2 standard deviations of votes
// that are cast by tossing a coin. Of ten it takes eight, of a hundred 58.
func clearly(slow, usual int) bool {
	margin := slow - usual
	return margin > 0 && margin*margin > 2*(slow+usual)
}

func (l *limit) tooMuch(inFlight int) {
	part := 70
	if l.before == 0 || l.growths > 0 {
		// The first for this cause, and most often enough. Where it was not, the way
		// to the answer whether less helps at all should be short.
		l.before, l.target, part = l.at, l.at/2, 85
	}
	if l.at == l.least && l.votes[voteLonger] > l.votes[voteSlow] {
		// So few attempts are no crowd: this is how long they take now. Less of them
		// did not help, so they may be as many as before.
		l.learning++
		l.target = l.before
	}
	l.shrink(l.at*part/100, inFlight)
}

func (l *limit) shrink(to, inFlight int) {
	l.at = max(l.least, to)
	l.stale, l.shrunk, l.growths, l.calm = inFlight, true, 0, false
}

func (l *limit) grow(inFlight int) {
	if l.at < l.target {
		l.at = min(2*l.at, l.target)
	} else {
		l.at = min(l.most, l.at+max(1, l.at/16)*(1+l.growths/2))
	}
	l.stale, l.shrunk = inFlight, false
	l.growths++
}

// teaches tells whether an attempt that leaves inFlight behind took as long as
// its operation takes by itself. It has seen as many others as it leaves behind,
// on average. A pace that is still unknown may also be had from a full system
// that is well.
func (l *limit) teaches(p *pace, inFlight int) bool {
	if l.calm && p.usual == 0 {
		return true
	}
	return inFlight <= max(l.least, l.at/2) && (l.stale == 0 || !l.shrunk)
}

// judged is the vote of an attempt that was answered; what it took is learnt from.
func (l *limit) judged(p *pace, took time.Duration, inFlight int) vote {
	if p.learning != l.learning {
		*p = pace{recent: newRecent(), learning: l.learning}
	}
	usual, guessed := p.known()
	v := latencyVote(took-l.own.ofAttempt(), usual)
	switch {
	case l.teaches(p, inFlight):
		p.learn(took)
	case p.usual == 0:
		p.suspect(took)
	}
	if guessed && l.stale == 0 {
		l.guesses++
	}
	return v
}

// pace is how long an operation takes while its system is not crowded. It rises
// when the system has been slower for a minute, or at its limit's floor; it falls
// at once. The bulkhead of the operation's system guards it.
type pace struct {
	recent   *recent // uncrowded attempts only
	usual    time.Duration
	learnt   int
	crowded  []time.Duration // the first few attempts of a crowd, while usual is not known
	learning int             // of the limit, when it began
}

func newPace() *pace { return &pace{recent: newRecent()} }

// everyNth of what is learnt has the medians looked at.
const everyNth = 16

func (p *pace) learn(took time.Duration) {
	p.recent.answered(took)
	p.learnt++
	if p.usual > 0 && p.learnt%everyNth != 0 {
		return
	}
	// What is no longer known is still the best guess: a crowd of ten minutes teaches nothing.
	if usual := p.recent.baseline(); usual > 0 {
		p.usual = usual
	}
}

// known is how long the operation takes. While that is not known it is guessed: as
// long as in the crowd that was there first. Against that it is seen whether a larger
// crowd makes it slower.
func (p *pace) known() (usual time.Duration, guessed bool) {
	if p.usual > 0 || len(p.crowded) < enoughForMedian {
		return p.usual, false
	}
	return p.crowded[len(p.crowded)/2], true
}

// suspect takes an attempt of a crowd for a guess.
func (p *pace) suspect(took time.Duration) {
	if len(p.crowded) < enoughForMedian {
		p.crowded = append(p.crowded, took)
		slices.Sort(p.crowded)
	}
}
