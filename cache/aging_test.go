package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// lasting is s behind c, declared public, with a lifetime of its kind's.
func lasting(c *Cache, s commerce.Catalog, lifetime time.Duration) commerce.Catalog {
	traits := publicTraits(commerce.OpProducts)
	declared := traits[commerce.OpProducts]
	declared.Lifetime = lifetime
	traits[commerce.OpProducts] = declared
	return c.Wrap(commerce.Ports{Catalog: s, Traits: traits}).Catalog
}

// A thousand requests a second over a hundred lifetimes: after the first load nobody
// waits, and there are at most 105 loads, the first among them.
func TestC9_AHotKeyIsNeverWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const lifetime, lifetimes, rps = time.Second, 100, 1000
		upstream := &source{takes: 20 * time.Millisecond}
		port := lasting(newCache(t, Config{}), upstream, lifetime)
		_, _, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		for range int(lifetime/time.Second) * lifetimes * rps {
			begun := time.Now()
			_, at, err := ask(t.Context(), port, "A")
			require.NoError(t, err)
			require.Zero(t, time.Since(begun))
			require.Equal(t, commerce.StateFresh, at.State)
			time.Sleep(time.Second / rps)
		}
		t.Logf("%d loads in %d lifetimes", upstream.count(), lifetimes)
		assert.LessOrEqual(t, upstream.count(), 105)
	})
}

// A list that everybody asks for costs a call in a lifetime, not one for each of its parts.
func TestC9_WhatIsReadTogetherIsLoadedTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const lifetime, lifetimes = 10 * time.Second, 100 / sparing
		upstream := &source{takes: 20 * time.Millisecond}
		port := lasting(newCache(t, Config{}), upstream, lifetime)
		skus, _ := manySKUs(24)
		for begun := time.Now(); time.Since(begun) < lifetimes*lifetime; time.Sleep(50 * time.Millisecond) {
			_, err := port.Products(t.Context(), us, skus)
			require.NoError(t, err)
		}
		t.Logf("%d calls in %d lifetimes", upstream.count(), lifetimes)
		assert.LessOrEqual(t, upstream.count(), 1+lifetimes*104/100)
	})
}

// gaps are the times between reads of a key, in a thousand lifetimes of a minute.
func gaps(r *rand.Rand, next func(*rand.Rand) time.Duration) []time.Duration {
	var list []time.Duration
	for total := time.Duration(0); total < 1000*time.Minute; total += list[len(list)-1] {
		list = append(list, next(r))
	}
	return list
}

// flat is a rule that renews with the first read from refreshAt on, of lifetimes that are
// always spread: what this one is compared with. It answers loads, and reads that waited.
func flat(r *rand.Rand, reads []time.Duration) (loads, waits int) {
	const minute = time.Minute
	age, fresh := minute, minute
	for _, gap := range reads {
		age += gap
		if age >= fresh {
			waits++
		}
		if age >= fresh*refreshAt/100 {
			loads, age = loads+1, 0
			fresh = minute - time.Duration(r.Int64N(int64(minute*spread/100)))
		}
	}
	return loads, waits
}

// What is read every few seconds is loaded by the read before the one that would wait.
func TestC9_WhatIsReadNowAndThenSeldomWaits(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		next  func(*rand.Rand) time.Duration
		waits int // at most, in a thousand lifetimes
	}{
		"every 5 to 10 s": {func(r *rand.Rand) time.Duration { return 5*time.Second + time.Duration(r.Int64N(int64(5*time.Second))) }, 1},
		"every 2 s":       {func(*rand.Rand) time.Duration { return 2 * time.Second }, 1},
		// Gaps of any length: who comes after a very long one waits under any rule.
		"at random, on average every 7.5 s": {func(r *rand.Rand) time.Duration {
			return time.Duration(r.ExpFloat64() * float64(7500*time.Millisecond))
		}, 330},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reads := gaps(rand.New(rand.NewPCG(9, 9)), tc.next)
			synctest.Test(t, func(t *testing.T) {
				upstream := &source{takes: 20 * time.Millisecond}
				port := lasting(newCache(t, Config{}), upstream, time.Minute)
				waits := 0
				for _, gap := range reads {
					begun := time.Now()
					_, at, err := ask(t.Context(), port, "A")
					require.NoError(t, err)
					if time.Since(begun) > 0 || at.State != commerce.StateFresh {
						waits++
					}
					time.Sleep(gap - time.Since(begun))
				}
				loads, waited := flat(rand.New(rand.NewPCG(8, 8)), reads)
				t.Logf("of %d reads %d waited or got something stale, with %d loads; renewed at %d%% flat: %d waited, with %d loads",
					len(reads), waits, upstream.count(), refreshAt, waited, loads)
				assert.LessOrEqual(t, waits, tc.waits)
				assert.LessOrEqual(t, upstream.count(), loads)
			})
		})
	}
}

// Whole answers hide reads from their parts. Nobody who asks now and then waits for a
// part nevertheless, and what everybody asks for is loaded no oftener than without them.
func TestC9_WholeAnswersHaveTheirPartsRenewed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		gap       func(*rand.Rand) time.Duration
		percent   int // as many loads for each hundred lifetimes after the first, at most
		lifetimes int // of a minute each
	}{
		"every 5 to 10 s":    {func(r *rand.Rand) time.Duration { return 5*time.Second + time.Duration(r.Int64N(int64(5*time.Second))) }, 124, 100},
		"a hundred a second": {func(*rand.Rand) time.Duration { return 10 * time.Millisecond }, 104, 100 / sparing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newCache(t, Config{AnswerBytes: 1 << 20})
				upstream := &source{takes: 20 * time.Millisecond}
				port := lasting(c, upstream, time.Minute)
				a, err := NewAnswers(c, Config{AnswerBytes: 1 << 20}, "web", nil)
				require.NoError(t, err)
				defer a.Close()
				made, waits := 0, 0
				produce := func(ctx context.Context) (Produced, error) {
					made++
					ctx, sink := commerce.WithSink(ctx)
					_, err := port.Products(ctx, us, []commerce.SKU{"A"})
					return Produced{Body: []byte("A"), Whole: true, Sources: sink.Sources()}, err
				}
				r := rand.New(rand.NewPCG(7, 7))
				q := &Question{Channel: "web", Text: []string{"A"}, Market: us}
				for begun := time.Now(); time.Since(begun) < time.Duration(tc.lifetimes)*time.Minute; time.Sleep(tc.gap(r)) {
					asked := time.Now()
					_, _, err := a.Do(t.Context(), q, produce)
					require.NoError(t, err)
					if time.Since(asked) > 0 {
						waits++
					}
				}
				t.Logf("%d loads, made %d times, waited %d times", upstream.count(), made, waits)
				assert.Equal(t, 1, waits, "only the first")
				assert.LessOrEqual(t, upstream.count(), 1+tc.lifetimes*tc.percent/100)
			})
		})
	}
}

func TestDueIsDecidedByTheTimeBetweenReads(t *testing.T) {
	t.Parallel()
	now := time.Now()
	e := &entry{began: now, fresh: 100 * time.Second}
	read := func(second, takes int) bool {
		return e.due(span{until: e.fresh}, time.Duration(takes)*time.Second, now.Add(time.Duration(second)*time.Second))
	}
	require.False(t, read(60, 0), "too early, whatever comes")
	require.False(t, read(66, 0))
	require.False(t, read(70, 0))
	require.False(t, read(75, 0))
	require.False(t, read(80, 0), "the next comes at 92 at the latest")
	require.True(t, read(87, 0), "the next may come at 101")
	require.True(t, read(87, 0), "and still")
	require.False(t, read(81, 0), "an earlier read that comes late changes nothing")
	require.True(t, read(86, 0), "the longest time between reads was 6 s")
	e = &entry{began: now, fresh: 100 * time.Second}
	require.True(t, read(80, 0), "none was noted")
	for second := 60; second < 84; second++ {
		require.False(t, read(second, 7))
	}
	require.True(t, read(84, 7), "a load that takes 7 s begins before 86")
	for second := 84; second < 96; second++ {
		require.False(t, read(second, 0))
	}
	require.True(t, read(96, 0), "however fast loads are")
}

// C10 over time: a hundred calls' keys that are loaded at a time and read every second
// stay apart, although only their first lifetimes differ.
func TestC10_RenewalsStayApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const lifetime, keys, lifetimes = time.Minute, 1000, 3
		upstream := &source{}
		port := lasting(newCache(t, Config{}), upstream, lifetime)
		skus, _ := manySKUs(keys)
		begun, seen := time.Now(), 0
		var perSecond []int
		for time.Since(begun) < lifetimes*lifetime {
			for page := range slices.Chunk(skus, keys/100) {
				_, err := port.Products(t.Context(), us, page)
				require.NoError(t, err)
			}
			synctest.Wait()
			upstream.mu.Lock()
			loaded := 0
			for _, n := range upstream.keys[seen:] {
				loaded += n
			}
			seen = len(upstream.keys)
			upstream.mu.Unlock()
			perSecond = append(perSecond, loaded)
			time.Sleep(time.Second)
		}
		require.Equal(t, keys, perSecond[0])
		for second, n := range perSecond[1:] {
			assert.LessOrEqual(t, n, keys*12/100, "second %d", second+1)
		}
		for from := 1; from+60 <= len(perSecond); from += 60 {
			busy := 0
			for _, n := range perSecond[from : from+60] {
				if n > 0 {
					busy++
				}
			}
			assert.GreaterOrEqual(t, busy, 12, fmt.Sprint("from second ", from))
		}
		t.Logf("at most %d loads in a second", slices.Max(perSecond[1:]))
	})
}
