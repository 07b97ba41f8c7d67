package cache

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// loadOver is a load of one key that began at now, where memory holds an entry for it.
func loadOver(t *testing.T, c *Cache, now time.Time, e *entry) *load {
	t.Helper()
	p := &plan{policy: Policy{Fresh: seconds(100), Negative: seconds(100)}}
	if e != nil {
		c.memory.put("k", e.tagged([]commerce.Tag{"product:A"}, c.tags.stamp()), time.Hour)
	}
	return &load{cache: c, request: &request{plan: p, keys: []string{"k"}}, flights: []*flight{{beginning: &beginning{began: now}}}}
}

// What comes in the place of something that was as good as new lasts its whole lifetime;
// everything else ends apart from its neighbours.
func TestC10_WhatTakesThePlaceOfWhatIsNewEndsApartAlready(t *testing.T) {
	t.Parallel()
	now := time.Now()
	aged := func(second float64) *entry { return &entry{began: now.Add(-seconds(second)), fresh: seconds(100)} }
	for name, tc := range map[string]struct {
		old    *entry
		spoil  func(c *Cache)
		renews bool
	}{
		"nothing":            {nil, nil, false},
		"new to the end":     {aged(99.999), nil, true},
		"at its end":         {aged(100), nil, false},
		"there was none":     {&entry{began: now.Add(-time.Second), fresh: seconds(100), missing: true}, nil, false},
		"it was invalidated": {aged(50), func(c *Cache) { c.tags.strike([]commerce.Tag{"product:A"}, false) }, false},
		"others are not heard": {aged(50), func(c *Cache) {
			c.unheard, c.news = seconds(5), &news{table: c.tags, began: now.Add(-seconds(30))}
		}, false},
	} {
		c := newCache(t, realTime)
		l := loadOver(t, c, now, tc.old)
		if tc.spoil != nil {
			tc.spoil(c)
		}
		assert.Equal(t, tc.renews, l.renews(0), name)
	}
}

// What Redis has is not taken over when it is about to be loaded anew and what memory
// holds is, too.
func TestC9_WhatIsDueInBothTiers(t *testing.T) {
	t.Parallel()
	now := time.Now()
	aged := func(second float64) *entry { return &entry{began: now.Add(-seconds(second)), fresh: seconds(100)} }
	for name, tc := range map[string]struct {
		theirs float64
		ours   *entry
		dead   bool
		ages   bool
	}{
		"both are due":           {80, aged(85), false, true},
		"theirs is newer":        {79.999, aged(85), false, false},
		"memory holds nothing":   {80, nil, false, false},
		"ours is newer":          {80, aged(10), false, false},
		"ours was invalidated":   {80, aged(85), true, false},
		"ours is no longer new":  {80, aged(100), false, false},
		"ours is looked at only": {80, aged(60), false, true},
	} {
		c := newCache(t, realTime)
		l := loadOver(t, c, now, tc.ours)
		if tc.dead {
			c.tags.strike([]commerce.Tag{"product:A"}, false)
		}
		assert.Equal(t, tc.ages, l.ages(0, aged(tc.theirs), now), name)
	}
}

// sayer answers whatever it is asked for.
type sayer struct {
	wish
	says func() []answer
}

func (s *sayer) load(context.Context, []int) []answer { return s.says() }

// How long a system took to fail says nothing about how long its answers take.
func TestC9_WhatFailsIsNoMeasureOfLoads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := loadOver(t, newCache(t, Config{}), time.Now(), nil)
		says := []answer{{err: errDown}}
		l.wish = &sayer{says: func() []answer { time.Sleep(time.Second); return says }}
		l.ask(t.Context(), []int{0})
		require.Zero(t, l.plan.takes.usual())
		says = []answer{{err: errDown}, {value: "v", found: true}}
		l.ask(t.Context(), []int{0, 1})
		assert.Equal(t, time.Second, l.plan.takes.usual())
	})
}
