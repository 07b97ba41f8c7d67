package cache

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Other ways to ask for an answer hold no body: what is held is what is weighed, also
// when only those ways are taken, so that the policy might keep them alone.
func TestC21_OtherWaysToAskHoldNoBodies(t *testing.T) {
	t.Parallel()
	const budget = 1 << 20
	a := newAnswers(t, Config{AnswerBytes: budget})
	body := strings.Repeat("x", 20_000)
	hits := 0
	for i := range 1_000 {
		q, letters := questionOf(fmt.Sprint(i)), questionOf("letters", fmt.Sprint(i))
		answer, _, err := a.Do(t.Context(), q, func(context.Context) (Produced, error) { return entire(body+fmt.Sprint(i), "product:A"), nil })
		require.NoError(t, err)
		a.Alias(letters, answer)
		for range 3 {
			if kept := a.Kept(letters); kept != nil {
				hits++
				require.Same(t, answer, kept)
			}
		}
	}
	require.Greater(t, hits, 300)
	a.table.CleanUp()
	held := 0
	for _, k := range a.table.All() {
		if answer, ok := k.value.(*Answer); ok {
			held += len(answer.Body)
		}
	}
	assert.Positive(t, held)
	assert.LessOrEqual(t, held, int(liveBytes(budget)))
	assert.LessOrEqual(t, a.table.WeightedSize(), uint64(liveBytes(budget)))
}

// Another way to ask finds what is kept now, never what was, and only in its own scope.
func TestC19_OtherWaysToAskStayInTheirScope(t *testing.T) {
	t.Parallel()
	a, q, letters := newAnswers(t, Config{}), questionOf("q"), questionOf("letters")
	first, _, err := a.Do(t.Context(), q, making(entire("first", "product:A")))
	require.NoError(t, err)
	a.Alias(letters, first)
	require.Same(t, first, a.Kept(letters))
	require.NoError(t, a.cache.Invalidate(t.Context(), "product:A"))
	require.Nil(t, a.Kept(letters))
	second, _, err := a.Do(t.Context(), q, making(entire("second", "product:A")))
	require.NoError(t, err)
	require.Same(t, second, a.Kept(letters), "equal questions ask for the same, whatever is kept")

	for name, change := range map[string]func(*Question){
		"channel":  func(q *Question) { q.Channel = "mobile" },
		"market":   func(q *Question) { q.Market.Channel = "eu" },
		"locale":   func(q *Question) { q.Market.Locale = "fr" },
		"currency": func(q *Question) { q.Market.Currency = "EUR" },
		"country":  func(q *Question) { q.Market.Country = "FR" },
		"group":    func(q *Question) { q.Group = "trade" },
		"form":     func(q *Question) { q.Form = "text/html" },
	} {
		other := questionOf("letters")
		change(other)
		a.Alias(other, second)
		require.Nil(t, a.Kept(other), name)
	}
	private := entire("a customer's")
	private.Sources[0].Scope = commerce.ScopeCustomer
	own, _, err := a.Do(t.Context(), questionOf("own"), making(private))
	require.NoError(t, err)
	a.Alias(questionOf("its letters"), own)
	require.Nil(t, a.Kept(questionOf("its letters")), "what is not kept has no other way")
}

// Who asks after an invalidation shares neither an error nor an answer that is not
// proven of what was begun before: what those were made of is not known.
func TestC12_NothingFromBeforeAnInvalidationIsSharedWithWhoAsksLater(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]struct {
		made Produced
		err  error
	}{
		"an error": {Produced{}, commerce.ErrNotFound},
		"a gap":    {Produced{Body: []byte("before")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAnswers(t, Config{})
				var published atomic.Bool
				maker := func(context.Context) (Produced, error) {
					there := published.Load()
					time.Sleep(50 * time.Millisecond)
					if !there {
						return before.made, before.err
					}
					return entire("after", "product:A"), nil
				}
				var wg sync.WaitGroup
				for range 10 {
					wg.Go(func() {
						_, _, err := a.Do(t.Context(), questionOf("A"), maker)
						assert.ErrorIs(t, err, before.err)
					})
				}
				time.Sleep(10 * time.Millisecond)
				published.Store(true)
				require.NoError(t, a.cache.Invalidate(t.Context(), commerce.TagProduct("A")))
				for range 10 {
					wg.Go(func() {
						answer, _, err := a.Do(t.Context(), questionOf("A"), maker)
						if assert.NoError(t, err) {
							assert.Equal(t, "after", string(answer.Body))
						}
					})
				}
				wg.Wait()
			})
		})
	}
}

// Who has more time than who began has it made anew, whether the deadline brought an
// error or an answer that lacks something; who has as little is answered with that.
func TestC3_ADeadlineFailsNobodyElse(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"an error": context.DeadlineExceeded, "an answer with a gap": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAnswers(t, Config{})
				var calls atomic.Int64
				maker := func(ctx context.Context) (Produced, error) {
					calls.Add(1)
					select {
					case <-time.After(100 * time.Millisecond):
						return entire("whole"), nil
					case <-ctx.Done():
						return Produced{Body: []byte("a gap")}, err
					}
				}
				ask := func(left time.Duration) (*Answer, error) {
					ctx, cancel := context.WithTimeout(t.Context(), left)
					defer cancel()
					answer, _, err := a.Do(ctx, questionOf("q"), maker)
					return answer, err
				}
				var wg sync.WaitGroup
				for range 5 {
					wg.Go(func() {
						answer, failed := ask(50 * time.Millisecond)
						assert.ErrorIs(t, failed, err)
						if err == nil {
							assert.Equal(t, "a gap", string(answer.Body))
						}
					})
				}
				time.Sleep(10 * time.Millisecond)
				for range 5 {
					wg.Go(func() {
						answer, err := ask(10 * time.Second)
						if assert.NoError(t, err) {
							assert.Equal(t, "whole", string(answer.Body))
						}
					})
				}
				wg.Wait()
				assert.LessOrEqual(t, calls.Load(), int64(maxRounds))
			})
		})
	}
}

// However many deadlines end what is made, nobody goes round for ever.
func TestC3_RoundsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(t, Config{})
		var calls atomic.Int64
		never := func(ctx context.Context) (Produced, error) {
			calls.Add(1)
			<-ctx.Done()
			return Produced{}, ctx.Err()
		}
		var wg sync.WaitGroup
		for i := range 40 { // each has a little more time than who asked before
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, _, err := a.Do(ctx, questionOf("q"), never)
				assert.ErrorIs(t, err, context.DeadlineExceeded)
			})
		}
		wg.Wait()
		assert.LessOrEqual(t, calls.Load(), int64(maxRounds))
	})
}
