package transport

import "time"

const (
	// slowFactor and slowSlack say when an attempt counts as slow. The slack keeps
	// the noise of operations that take single milliseconds out of it.
	slowFactor = 2
	slowSlack  = 10 * time.Millisecond

	leastLimit = 8
	firstLimit = 32

	// A decision waits for this many votes and this long.
	leastVotes   = 10
	votingPeriod = 100 * time.Millisecond
)

// vote is what one finished attempt says about its system's load.
type vote uint8

const (
	voteNone  vote = iota // nothing: cancelled, never sent, or failed in a way that is no sign of load
	voteUsual             // it took about as long as its operation takes
	voteSlow              // it took much longer, timed out, or was answered 429 or 503
)

// latencyVote compares what an answered attempt took with its own operation's
// baseline, which is 0 while unknown. A system's operations differ by orders of
// magnitude: compared with one another, a shift of the mix would look like load.
func latencyVote(took, baseline time.Duration) vote {
	if baseline > 0 && took > slowFactor*baseline+slowSlack {
		return voteSlow
	}
	return voteUsual
}

// limit finds how many attempts a system can take at once: additive increase,
// multiplicative decrease on a majority of votes. A majority is a median: a heavy
// tail, or one slow operation among many, does not move it. Its bulkhead guards it.
type limit struct {
	at    int // now
	least int
	most  int

	usual, slow int
	peak        int       // most attempts inside since the last decision
	stale       int       // votes still to come from attempts that began before the last decrease
	decided     time.Time // the last decision
}

func newLimit(ceiling int) limit {
	most := max(ceiling, 1)
	return limit{at: min(firstLimit, most), least: min(leastLimit, most), most: most, decided: time.Now()}
}

// entered notes how many are inside.
func (l *limit) entered(inFlight int) { l.peak = max(l.peak, inFlight) }

// cast counts the vote of an attempt that has left with inFlight still inside,
// and decides when it is time to.
func (l *limit) cast(v vote, inFlight int) {
	if v == voteNone {
		return
	}
	if l.stale > 0 {
		l.stale--
		return
	}
	if v == voteSlow {
		l.slow++
	} else {
		l.usual++
	}
	if l.usual+l.slow < leastVotes {
		return
	}
	now := time.Now()
	if now.Sub(l.decided) < votingPeriod {
		return
	}
	l.decide(inFlight)
	l.usual, l.slow, l.peak, l.decided = 0, 0, inFlight, now
}

func (l *limit) decide(inFlight int) {
	switch {
	case l.slow > l.usual:
		l.at = max(l.least, l.at*85/100)
		// Those inside entered under the old limit: what they will say is already
		// known. Counted again they would shrink it several times for one cause.
		l.stale = inFlight
	case 2*l.peak >= l.at: // an idle system proves nothing about a higher limit
		l.at = min(l.most, l.at+max(1, l.at/16))
	}
}
