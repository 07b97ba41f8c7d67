package transport

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestLatencyVote(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		took, usual time.Duration
		want        vote
	}{
		{time.Second, 0, voteUnknown},
		{17500 * time.Microsecond, 5 * ms, voteUsual},
		{17501 * time.Microsecond, 5 * ms, voteLonger},
		{760 * ms, 500 * ms, voteUsual},
		{761 * ms, 500 * ms, voteLonger},
	} {
		assert.Equal(t, test.want, latencyVote(test.took, test.usual), "%v of %v", test.took, test.usual)
	}
}

// poll has a decision made on so many votes.
func poll(l *limit, usual, slow int) {
	time.Sleep(votingPeriod)
	for range l.stale {
		l.cast(voteSlow, 0) // from attempts that began earlier: not heard
	}
	for range usual {
		l.cast(voteUsual, 0)
	}
	for range slow {
		l.cast(voteSlow, 0)
	}
}

func TestLimitShrinksOnAClearMajorityOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimit(128)
		poll(&l, 3, 7)
		assert.Equal(t, 32, l.at, "seven of ten may be chance")
		poll(&l, 2, 8)
		assert.Equal(t, 27, l.at)
		for range 20 {
			poll(&l, 0, 10)
		}
		assert.Equal(t, leastLimit, l.at)
	})
}

func TestLimitWaitsForVotesAndTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimit(128)
		for range 100 {
			l.cast(voteSlow, 0)
		}
		assert.Equal(t, 32, l.at, "no time has passed")
		l = newLimit(128)
		time.Sleep(time.Minute)
		for range leastVotes - 1 {
			l.cast(voteSlow, 0)
			l.cast(voteNone, 0)
		}
		assert.Equal(t, 32, l.at, "nine votes")
		l.cast(voteSlow, 0)
		assert.Equal(t, 27, l.at)
	})
}

// One cause is one decrease: those inside saw what the votes already told.
func TestLimitDoesNotHearThoseWhoBeganBeforeAChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimit(128)
		time.Sleep(votingPeriod)
		for range leastVotes {
			l.cast(voteSlow, 22)
		}
		assert.Equal(t, 27, l.at)
		time.Sleep(votingPeriod)
		for range 22 + leastVotes - 1 {
			l.cast(voteSlow, 22)
		}
		assert.Equal(t, 27, l.at)
		l.cast(voteSlow, 22)
		assert.Equal(t, 18, l.at, "the second for one cause is larger")
	})
}

func TestLimitGrowsWhenItIsUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimit(40)
		l.entered(15)
		poll(&l, 10, 0)
		assert.Equal(t, 32, l.at, "less than half was used")
		l.entered(16)
		poll(&l, 10, 0)
		assert.Equal(t, 40, l.at, "the ceiling")
	})
}

// Twofold, until something speaks against it: a system that is well and asked for 50
// at a time must not refuse any while it is found out. Then in steps.
func TestLimitGrowsFastUntilItWasTooMuch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimit(1000)
		grows := func() int {
			l.entered(l.at)
			poll(&l, 10, 0)
			return l.at
		}
		assert.Equal(t, []int{64, 128}, []int{grows(), grows()})
		poll(&l, 0, 10)
		assert.Equal(t, 108, l.at)
		assert.Equal(t, []int{114, 121, 135}, []int{grows(), grows(), grows()})
	})
}

// A process that starts under load knows no paces. It guesses, and sees whether more at
// a time makes it worse; what is only guessed is looked at when the system stays full.
func TestLimitGuessesUnderLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, p := newLimit(128), newPace()
		full := func(took time.Duration) {
			time.Sleep(time.Second)
			l.entered(l.at)
			for range l.stale + leastVotes {
				l.cast(l.judged(p, took, l.at), l.at-1)
			}
		}
		full(20 * ms)
		assert.Equal(t, firstLimit, l.at, "nothing to compare with")
		full(20 * ms)
		assert.Equal(t, 64, l.at)
		full(50 * ms)
		assert.Equal(t, 54, l.at, "slower by more than half")
		assert.Zero(t, p.usual)
		assert.False(t, l.calm)
		full(20 * ms)
		assert.Equal(t, leastLimit, l.at, "full for three seconds")
	})
}

// After a deep fall it is soon back at half of what held before, then careful.
func TestLimitComesBackFast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimit(128)
		l.at = 100
		for range 20 {
			poll(&l, 0, 10)
		}
		assert.Equal(t, leastLimit, l.at)
		var steps []int
		for range 5 {
			l.entered(l.at)
			poll(&l, 10, 0)
			steps = append(steps, l.at)
		}
		assert.Equal(t, []int{16, 32, 50, 56, 65}, steps)
	})
}

func TestLimitSmallCeilings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for ceiling, want := range map[int]int{-1: 1, 0: 1, 1: 1, 5: 5, 8: 8, 20: 20, 1000: 32} {
			l := newLimit(ceiling)
			assert.Equal(t, want, l.at, "ceiling %d", ceiling)
			for range 30 {
				poll(&l, 0, 10)
			}
			assert.Equal(t, min(want, leastLimit), l.at, "ceiling %d", ceiling)
		}
	})
}

// A pace is learnt from an uncrowded system only: a crowd's latencies would make
// crowds look normal.
func TestPaceIsLearntWithoutACrowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, p := newLimit(128), newPace()
		for range enoughForMedian {
			assert.Equal(t, voteUnknown, l.judged(p, time.Second, 17))
		}
		for range 90 {
			assert.Equal(t, voteUsual, l.judged(p, time.Second, 17), "guessed")
		}
		assert.Zero(t, p.usual)
		for range leastVotes {
			l.judged(p, 100*ms, 16)
		}
		assert.InDelta(t, 100*ms, p.usual, float64(100*ms)/16)
		assert.Equal(t, voteLonger, l.judged(p, time.Second, 20))
		for range 10 {
			time.Sleep(recentWindow)
			for range 100 {
				l.judged(p, time.Second, 20)
			}
		}
		assert.Equal(t, voteLonger, l.judged(p, time.Second, 20), "after minutes of a crowd")
	})
}

// At the floor there is no crowd: what is slow there is the pace from now on.
func TestPaceIsLearntAnewAtTheFloor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, p := newLimit(8), newPace()
		answered := func(took time.Duration) {
			time.Sleep(votingPeriod)
			for range 7 + leastVotes {
				l.cast(l.judged(p, took, 7), 7)
			}
		}
		answered(50 * ms)
		assert.Equal(t, voteUsual, l.judged(p, 50*ms, 7))
		for range 4 {
			answered(200 * ms)
		}
		assert.Equal(t, 8, l.at)
		assert.InDelta(t, 200*ms, p.usual, float64(200*ms)/16)
		assert.Equal(t, voteUsual, l.judged(p, 200*ms, 7))
	})
}

// Whatever is voted, the limit stays between its floor and its ceiling, and moves
// by no more than its rules allow.
func TestLimitStaysWithinItsBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ceiling := rapid.IntRange(1, 300).Draw(t, "ceiling")
		l := newLimit(ceiling)
		for range rapid.IntRange(1, 60).Draw(t, "decisions") {
			l.decided = time.Time{}
			l.entered(rapid.IntRange(0, l.at).Draw(t, "peak"))
			v := rapid.SampledFrom([]vote{voteUsual, voteSlow, voteLonger, voteUnknown}).Draw(t, "vote")
			was := l.at
			for range l.stale + leastVotes {
				l.cast(v, rapid.IntRange(0, 3).Draw(t, "in flight"))
			}
			assert.GreaterOrEqual(t, l.at, min(leastLimit, ceiling))
			assert.LessOrEqual(t, l.at, ceiling)
			if v == voteUsual {
				assert.GreaterOrEqual(t, l.at, was)
			} else {
				assert.LessOrEqual(t, l.at, was)
			}
		}
	})
}

// A new operation of a full system that is well is learnt at once: the limit
// need not go to its floor for it.
func TestPaceOfANewOperationIsLearntFromAFullSystemThatIsWell(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, p := newLimit(128), newPace()
		poll(&l, 10, 0)
		for range leastVotes {
			assert.Equal(t, voteUnknown, l.judged(p, 100*ms, 32))
		}
		assert.Equal(t, voteUsual, l.judged(p, 100*ms, 32))
	})
}

// What an attempt without a usable answer says about its system's load. One that
// had no time to begin says nothing: the system was not asked.
func TestVoteOfAnAttemptWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	late := attemptError{kind: commerce.ErrTimeout, reason: commerce.ReasonTimeout, cause: errTooLate}
	notBegun := late
	notBegun.own = true
	for name, test := range map[string]struct {
		status int
		err    error
		want   vote
	}{
		"timed out":           {0, &late, voteSlow},
		"no time to begin":    {0, &notBegun, voteNone},
		"connection lost":     {0, &attemptError{kind: commerce.ErrUnavailable, cause: errReset}, voteNone},
		"cancelled":           {0, &attemptError{kind: context.Canceled, cause: context.Canceled}, voteNone},
		"429":                 {http.StatusTooManyRequests, nil, voteSlow},
		"503":                 {http.StatusServiceUnavailable, nil, voteSlow},
		"500":                 {http.StatusInternalServerError, nil, voteNone},
		"too large an answer": {0, badAnswer(errTooLarge), voteNone},
	} {
		var res *http.Response
		if test.status > 0 {
			res = &http.Response{StatusCode: test.status}
		}
		assert.Equal(t, test.want, (&attempt{took: time.Microsecond}).vote(res, test.err), name)
	}
}

// A system that is full from the start is left at its first limit for some
// seconds, before the limit makes room to learn in.
func TestLimitLooksOnlyAfterAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimit(128)
		full := func() {
			time.Sleep(time.Second)
			l.entered(l.at)
			for range leastVotes {
				l.cast(voteUnknown, 31)
			}
		}
		for range lookAfter / time.Second {
			full()
			assert.Equal(t, firstLimit, l.at)
		}
		full()
		assert.Equal(t, leastLimit, l.at)

		l = newLimit(128)
		for range delaySamples {
			l.own.add(slowSlack)
		}
		for range 10 {
			full()
			assert.Equal(t, firstLimit, l.at, "nothing but our own delay could be seen")
		}

		l = newLimit(128)
		for range 10 {
			full()
			time.Sleep(time.Second)
			l.peak = 0
			for range leastVotes {
				l.cast(voteUnknown, 0)
			}
			assert.Equal(t, firstLimit, l.at, "it was not full in between")
		}
	})
}
