package cache

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// seconds are n of them, for tables of ages.
func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// What an entry is good for changes at exactly the ages that its policy, its own
// lifetime and what was heard of others say: it is the one thing until a nanosecond
// before a bound, and the next from the bound on.
func TestC5_WhatAnEntryIsGoodForAtEachBound(t *testing.T) {
	t.Parallel()
	const forever = time.Duration(math.MaxInt64)
	type until struct {
		bound time.Duration
		is    verdict
	}
	p := Policy{Fresh: seconds(100), StaleWhileRevalidate: seconds(10), StaleIfError: seconds(50)}
	for name, tc := range map[string]struct {
		fresh   float64 // apart from its neighbours
		span    span
		onHold  bool
		missing bool
		is      []until
	}{
		"as ever": {90, span{until: seconds(90)}, false, false, []until{
			{seconds(54), current}, {seconds(90), aging}, {seconds(100), revalidated}, {seconds(140), fallback}, {forever, useless},
		}},
		"on hold": {90, span{until: seconds(90)}, true, false, []until{
			{seconds(90), current}, {seconds(140), held}, {forever, useless},
		}},
		"others are not heard": {90, span{seconds(30), seconds(40)}, false, false, []until{
			{seconds(36), current}, {seconds(40), aging}, {seconds(100), revalidated}, {seconds(140), fallback}, {forever, useless},
		}},
		"others are not heard, on hold": {90, span{seconds(30), seconds(40)}, true, false, []until{
			{seconds(40), current}, {seconds(140), held}, {forever, useless},
		}},
		"there is none": {5, span{until: seconds(5)}, false, true, []until{{seconds(5), current}, {forever, useless}}},
		"there is none, and others are not heard":    {5, span{until: seconds(1)}, false, true, []until{{seconds(1), current}, {forever, useless}}},
		"the whole lifetime, which the policy names": {100, span{until: seconds(100)}, true, false, []until{{seconds(100), current}, {seconds(150), held}, {forever, useless}}},
	} {
		now := time.Now()
		e := &entry{began: now, fresh: seconds(tc.fresh), missing: tc.missing}
		assert.Zero(t, e.age(now.Add(-time.Second)), "nothing is younger than new")
		if tc.onHold {
			e.held.Store(&hold{until: now.Add(seconds(1000))})
		}
		from := time.Duration(0)
		for _, step := range tc.is {
			assert.Equal(t, step.is, p.judge(e, tc.span, now.Add(from)), "%s, at %v", name, from)
			last := min(step.bound-1, seconds(900))
			assert.Equal(t, step.is, p.judge(e, tc.span, now.Add(last)), "%s, at %v", name, last)
			from = step.bound
		}
	}
}

// A system that failed is left alone for five seconds, or for as long as it says, which
// may be no longer than half a minute.
func TestC5_HowLongASystemIsLeftAlone(t *testing.T) {
	t.Parallel()
	for says, wait := range map[float64]float64{0: 5, 2: 5, 7: 7, 30: 30, 60: 30} {
		now := time.Now()
		e := &entry{began: now, fresh: seconds(100)}
		e.failed(now, &commerce.CallError{Kind: commerce.ErrUnavailable, Reason: commerce.ReasonUnavailable, RetryAfter: seconds(says)})
		h := e.onHold(now.Add(seconds(wait) - 1))
		require.NotNil(t, h, "it says %v s", says)
		assert.Equal(t, seconds(says), h.retryAfter)
		assert.Nil(t, e.onHold(now.Add(seconds(wait))), "it says %v s", says)
	}
}

// How long an entry is as good as new counts from when others were heard last, or from
// its load when that is later; of a whole answer, from that of its oldest part.
func TestC12_UnheardSpans(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		unheard    float64
		age, heard float64 // both since the entry began
		oldest     float64 // part of a whole answer
		from, to   float64
	}{
		"heard just now":                {5, 10, 9.000000001, 0, 0, 60},
		"heard a second ago":            {5, 10, 9, 0, 9, 14},
		"no bound":                      {0, 10, 2, 0, 0, 60},
		"loaded since":                  {5, 10, -20, 0, 0, 5},
		"made since, of older parts":    {5, 10, -20, 3, -3, 2},
		"of parts loaded before":        {5, 10, -2, 3, -2, 3},
		"of older parts, heard since":   {5, 10, 4, 3, 4, 9},
		"ends before that":              {5, 58, 55, 0, 0, 60},
		"ends a moment later than so":   {5, 58, 54.5, 0, 54.5, 59.5},
		"heard when half of it is over": {10, 40, 30, 0, 30, 40},
	} {
		began := time.Now()
		c := &Cache{unheard: seconds(tc.unheard), news: &news{began: began.Add(-time.Hour)}}
		c.news.heardAt.Store(int64(time.Hour + seconds(tc.heard)))
		e := &entry{began: began, fresh: seconds(60)}
		if tc.oldest > 0 {
			e.value = &Answer{oldest: seconds(tc.oldest)}
		}
		now := began.Add(seconds(tc.age))
		assert.Equal(t, span{seconds(tc.from), seconds(tc.to)}, c.span(e, now), name)
		c.news = nil
		assert.Equal(t, span{until: seconds(60)}, c.span(e, now), "%s, alone", name)
	}
}

// Shares of a span count from its beginning, wherever that is.
func TestSharesOfASpan(t *testing.T) {
	t.Parallel()
	for from, shares := range map[float64][]float64{0: {60, 80}, 10: {70, 90}, -3: {57, 77}} {
		s := span{seconds(from), seconds(from + 100)}
		assert.Equal(t, seconds(shares[0]), s.at(watchFrom))
		assert.Equal(t, seconds(shares[1]), s.at(refreshAt))
		for takes, lead := range map[float64]float64{0: 2, 0.5: 2, 1.5: 3, 9: 18, 10: 20, 500: 20} {
			assert.Equal(t, seconds(lead), s.lead(seconds(takes)), "a load takes %v s", takes)
		}
	}
}

// What is made of an entry is kept until the entry has to be loaded anew; from then on
// until it ends, and then no longer, never for a time below none.
func TestC20_WhatIsMadeOfAnEntryEndsWithIt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		missing bool
		span    span
		left    map[float64]float64 // by age
	}{
		"found": {false, span{until: seconds(100)}, map[float64]float64{0: 90, 89: 1, 90: 10, 95: 5, 100: 0, 130: 0}},
		"there is none, and nothing is loaded ahead": {true, span{until: seconds(100)}, map[float64]float64{0: 100, 89: 11, 90: 10, 100: 0, 130: 0}},
		"others are not heard":                       {false, span{seconds(20), seconds(70)}, map[float64]float64{20: 40, 59: 1, 60: 10, 70: 0, 99: 0}},
	} {
		now := time.Now()
		e := &entry{began: now, fresh: seconds(100), missing: tc.missing}
		for age, left := range tc.left {
			assert.Equal(t, seconds(left), e.left(tc.span, seconds(5), now.Add(seconds(age))), "%s, at %v s", name, age)
		}
	}
}

// A plan's loads and what others were heard of decide how long what is made may be kept
// and which read is the last, not only the entry.
func TestC9_LoadsThatTakeLongBeginEarlier(t *testing.T) {
	t.Parallel()
	began := time.Now()
	c, p := &Cache{unheard: seconds(50), news: &news{began: began.Add(-time.Hour)}}, &plan{}
	c.news.heardAt.Store(int64(time.Hour + 20*time.Second))
	p.takes.took(seconds(3))
	e := &entry{began: began, fresh: seconds(100)}
	assert.Equal(t, seconds(2), c.left(p, e, began.Add(seconds(62))), "until six seconds before the end, at 70 s")
	e.read.Store(int64(seconds(61.5)))
	assert.False(t, c.due(p, e, began.Add(seconds(62))), "the next comes by 63 s")
	assert.False(t, c.due(p, e, began.Add(seconds(62.5))), "and now, too")
	assert.False(t, c.due(&plan{}, e, began.Add(seconds(63.5))), "loads that take no time may begin at 69 s")
	e.gap.Store(0)
	assert.True(t, c.due(p, e, began.Add(seconds(65))), "the next may come at 68 s, after 64 s")
}

// Which read is the last is decided at exact bounds: only what comes after watchFrom
// counts, nothing is due before refreshAt, and what may come just at the end comes too late.
func TestC9_TheLastReadAtEachBound(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var e *entry
	read := func(second float64) bool { return e.due(span{until: e.fresh}, 0, now.Add(seconds(second))) }
	anew := func() { e = &entry{began: now, fresh: seconds(100)} }

	anew() // it was last read long before it was looked at: that counts from 60 s on
	require.False(t, read(10))
	require.False(t, read(66))
	require.False(t, read(72))
	require.False(t, read(78))
	require.False(t, read(84), "the next comes by 96 s, and loads begin by 98 s")
	require.True(t, read(90))

	anew()
	for second := 62.0; second < 94; second += 2 {
		require.False(t, read(second), second)
	}
	require.True(t, read(94), "94 s, twice 2 s, and 2 s for the load")

	anew()
	require.False(t, read(61))
	require.True(t, read(84), "nobody came for 23 s")

	anew()
	require.False(t, read(79.999), "too early, however seldom it is read")
	require.True(t, read(80), "what is noted is longer than a moment")
}

// What loads take is a mean in which the last count for an eighth, and the first for all.
func TestWhatLoadsUsuallyTake(t *testing.T) {
	t.Parallel()
	var d duration
	require.Zero(t, d.usual())
	d.took(seconds(80))
	require.Equal(t, seconds(80), d.usual())
	d.took(seconds(160))
	require.Equal(t, seconds(90), d.usual())
	d.took(seconds(10))
	require.Equal(t, seconds(80), d.usual())
}

// A whole answer that lasts as long as any is given to its end, whoever reads it; one
// that ends with its parts is made anew by what is probably its last read.
func TestC20_HowLongAWholeAnswerLasts(t *testing.T) {
	t.Parallel()
	c, began := &Cache{}, time.Now()
	answer := func(fresh time.Duration) *entry { return &entry{value: &Answer{}, began: began, fresh: fresh} }
	e := answer(maxAnswerLife)
	for _, age := range []time.Duration{0, seconds(59), maxAnswerLife - 1} {
		assert.True(t, c.lasts(e, began.Add(age)), age)
	}
	assert.False(t, c.lasts(e, began.Add(maxAnswerLife)))
	e = answer(seconds(50))
	assert.True(t, c.lasts(e, began.Add(seconds(29))))
	assert.True(t, c.lasts(e, began.Add(seconds(33))))
	assert.False(t, c.lasts(e, began.Add(seconds(43))), "the next may come after 50 s")
	e = answer(seconds(50))
	assert.False(t, c.lasts(e, began.Add(seconds(50))))
	assert.False(t, c.lasts(e, began.Add(seconds(70))))
}

// Phases are spread evenly, however few there are, and each process begins elsewhere.
func TestC10_PhasesAreSpreadEvenly(t *testing.T) {
	t.Parallel()
	p, tenths := newPhases(), [10]int{}
	for range 100 {
		at := p.next()
		require.GreaterOrEqual(t, at, phase(0))
		require.Less(t, at, phase(1))
		tenths[int(at*10)]++
	}
	for tenth, n := range tenths {
		assert.InDelta(t, 10, n, 2, tenth)
	}
	assert.NotEqual(t, newPhases().next(), newPhases().next())
}

// A hundred entries of a load end together, the next hundred at another time.
func TestC10_PiecesOfALoadEndApart(t *testing.T) {
	t.Parallel()
	l := &load{cache: &Cache{phases: newPhases()}}
	var last phase
	for piece := range 3 {
		first := l.nextPhase(0)
		assert.NotEqual(t, last, first, piece)
		for range oneLife - 1 {
			require.InDelta(t, float64(first), float64(l.nextPhase(0)), 0, piece)
		}
		last = first
	}
	e := newEntry("v", time.Now(), Policy{Fresh: seconds(100)})
	assert.Equal(t, seconds(90), e.apart(0.5).fresh, "half of the spread of a fifth")
}
