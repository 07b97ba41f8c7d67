package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/portico-bff/portico/schema/commerce"
)

func newAnswers(t testing.TB, cfg Config) *Answers {
	t.Helper()
	if cfg.AnswerBytes == 0 {
		cfg.AnswerBytes = 1 << 20
	}
	c := newCache(t, cfg)
	a, err := NewAnswers(c, cfg, "web", nil)
	require.NoError(t, err)
	t.Cleanup(a.Close)
	return a
}

func questionOf(text ...string) *Question {
	return &Question{Channel: "web", Text: text, Market: us, Group: "retail", Form: "application/json"}
}

// good is a source that proves that its value may be kept.
func good(tags ...commerce.Tag) commerce.Source {
	return commerce.Source{
		System: "pim", Operation: commerce.OpProducts, State: commerce.StateFresh, Scope: commerce.ScopePublic,
		Fresh: 30 * time.Second, Tags: append(tags, commerce.TagAll),
	}
}

// entire is an answer of text that may be kept.
func entire(text string, tags ...commerce.Tag) Produced {
	return Produced{Body: []byte(text), ContentType: "application/json", Whole: true, Sources: []commerce.Source{good(tags...)}}
}

func making(p Produced) Maker { return func(context.Context) (Produced, error) { return p, nil } }

// do asks a and answers the body with how it came about.
func do(t testing.TB, a *Answers, q *Question, m Maker) (string, Result) {
	t.Helper()
	answer, result, err := a.Do(t.Context(), q, m)
	require.NoError(t, err)
	return string(answer.Body), result
}

func TestAnswersAreKeptAndGivenAgain(t *testing.T) {
	t.Parallel()
	a := newAnswers(t, Config{})
	require.Nil(t, a.Kept(questionOf("q")))
	body, result := do(t, a, questionOf("q"), making(entire("one")))
	require.Equal(t, "one", body)
	require.Equal(t, Miss, result)
	body, result = do(t, a, questionOf("q"), making(entire("two")))
	require.Equal(t, "one", body)
	require.Equal(t, Hit, result)
	kept := a.Kept(questionOf("q"))
	require.Equal(t, "one", string(kept.Body))
	require.True(t, kept.Public())
}

func TestC18_QuestionsAreKeyedInjectively(t *testing.T) {
	t.Parallel()
	word := rapid.StringN(0, 3, -1)
	draw := rapid.Custom(func(t *rapid.T) Question {
		return Question{
			Channel: rapid.SampledFrom([]string{"web", "mobile", ""}).Draw(t, "channel"),
			Text:    rapid.SliceOfN(word, 0, 3).Draw(t, "text"),
			Letters: lettersOrNone(word.Draw(t, "letters")),
			Market:  commerce.Market{Channel: word.Draw(t, "c"), Locale: word.Draw(t, "l"), Currency: word.Draw(t, "m"), Country: word.Draw(t, "n")},
			Group:   commerce.PriceGroup(word.Draw(t, "group")), Form: word.Draw(t, "form"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		p, q := draw.Draw(t, "p"), draw.Draw(t, "q")
		equal := fmt.Sprintf("%#v", p) == fmt.Sprintf("%#v", q) || len(p.Text) == 0 && len(q.Text) == 0 &&
			p.Channel == q.Channel && p.Market == q.Market && p.Group == q.Group && p.Form == q.Form && string(p.Letters) == string(q.Letters)
		if equal != (p.key() == q.key()) {
			t.Fatalf("%#v and %#v", p, q)
		}
	})
}

// lettersOrNone are the letters of a text; none are nil.
func lettersOrNone(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}

// Everyone asks anything at once while things are invalidated: nobody is given what
// was made for another channel, market, group or representation, nor what was made by
// a maker that saw anything of a request.
func TestC19_NobodyIsGivenAnAnswerMadeForOthers(t *testing.T) {
	t.Parallel()
	a := newAnswers(t, Config{AnswerBytes: 128 << 10}) // small: most of it is evicted at times
	markets := []commerce.Market{us, eu, {Channel: "us", Locale: "fr", Currency: "USD", Country: "US"}, {Channel: "us", Locale: "en", Currency: "EUR", Country: "US"}}
	type principalKey struct{}
	const workers, each = 8, 16_000 / sparing
	var leaks, shared atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 7))
			for range each {
				q := Question{
					Channel: []string{"web", "mobile"}[r.IntN(2)], Text: []string{fmt.Sprint(r.IntN(5))},
					Market: markets[r.IntN(len(markets))], Group: []commerce.PriceGroup{"retail", "trade"}[r.IntN(2)],
					Form: []string{"json", "graphql"}[r.IntN(2)],
				}
				want := fmt.Sprintf("%+v", q)
				who := fmt.Sprint("principal-", r.IntN(100))
				ctx := context.WithValue(context.Background(), principalKey{}, who)
				private := r.IntN(4) == 0 // this one's sources say that it is the principal's
				answer, result, err := a.Do(ctx, &q, func(ctx context.Context) (Produced, error) {
					if ctx.Value(principalKey{}) != nil {
						leaks.Add(1)
					}
					made := entire(want, commerce.Tag("tag:"+q.Text[0]))
					if private {
						made.Sources[0].Scope = commerce.ScopeCustomer
						made.Rest = "private"
					}
					return made, nil
				})
				if err != nil || string(answer.Body) != want || result == Hit && answer.Rest != nil {
					leaks.Add(1)
				}
				if result != Miss {
					shared.Add(1)
				}
				if r.IntN(20) == 0 {
					_ = a.cache.Invalidate(context.Background(), commerce.Tag("tag:"+q.Text[0]))
				}
			}
		})
	}
	wg.Wait()
	assert.Zero(t, leaks.Load())
	assert.Greater(t, shared.Load(), int64(workers*each/10), "answers have to be shared for this to prove anything")
}

func TestC20_WhatIsNotProvenIsNeverStored(t *testing.T) {
	t.Parallel()
	change := func(f func(*Produced)) Produced {
		p := entire("body", "product:A")
		f(&p)
		return p
	}
	second := func(f func(*commerce.Source)) Produced {
		return change(func(p *Produced) {
			s := good("product:B")
			f(&s)
			p.Sources = append(p.Sources, s)
		})
	}
	roomy := Config{AnswerBytes: 16 * maxAnswer} // so that room is no reason
	for name, made := range map[string]Produced{
		"errors or a gap":      change(func(p *Produced) { p.Whole = false }),
		"no source":            change(func(p *Produced) { p.Sources = nil }),
		"stale":                second(func(s *commerce.Source) { s.State = commerce.StateStale }),
		"filler":               second(func(s *commerce.Source) { s.State = commerce.StateFiller }),
		"missing":              second(func(s *commerce.Source) { s.State = commerce.StateMissing }),
		"a state nobody knows": second(func(s *commerce.Source) { s.State = "" }),
		"with a reason":        second(func(s *commerce.Source) { s.Reason = commerce.ReasonTimeout }),
		"a customer's":         second(func(s *commerce.Source) { s.Scope = commerce.ScopeCustomer }),
		"a session's":          second(func(s *commerce.Source) { s.Scope = commerce.ScopeSession }),
		"beyond invalidation":  second(func(s *commerce.Source) { s.Tags = nil }),
		"not current":          second(func(s *commerce.Source) { s.Fresh = 0 }),
		"too large":            change(func(p *Produced) { p.Body = make([]byte, maxAnswer+1) }),
		"too many sources":     change(func(p *Produced) { p.Sources = make([]commerce.Source, maxAnswerSources+1) }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAnswers(t, roomy)
			answer, result, err := a.Do(t.Context(), questionOf("q"), making(made))
			require.NoError(t, err)
			require.Equal(t, Miss, result)
			require.Equal(t, made.Body, answer.Body, "it is answered all the same")
			require.Nil(t, a.Kept(questionOf("q")))
		})
	}
	t.Run("failed", func(t *testing.T) {
		t.Parallel()
		a := newAnswers(t, Config{})
		_, _, err := a.Do(t.Context(), questionOf("q"), func(context.Context) (Produced, error) { return entire("x"), commerce.ErrNotFound })
		require.ErrorIs(t, err, commerce.ErrNotFound)
		require.Nil(t, a.Kept(questionOf("q")))
	})
	t.Run("panicked", func(t *testing.T) {
		t.Parallel()
		a := newAnswers(t, Config{})
		_, _, err := a.Do(t.Context(), questionOf("q"), func(context.Context) (Produced, error) { panic("fell over") })
		require.ErrorIs(t, err, errPanic)
		body, result := do(t, a, questionOf("q"), making(entire("better")))
		require.Equal(t, "better", body)
		require.Equal(t, Miss, result)
	})
	// The same with one good source, and as large as may be, so that the above can fail.
	a := newAnswers(t, roomy)
	do(t, a, questionOf("q"), making(entire("body", "product:A")))
	require.NotNil(t, a.Kept(questionOf("q")))
	do(t, a, questionOf("large"), making(entire(strings.Repeat("a", maxAnswer))))
	require.NotNil(t, a.Kept(questionOf("large")))
}

func TestC11_WhatWasInvalidatedWhileItWasMadeIsNotKept(t *testing.T) {
	t.Parallel()
	a := newAnswers(t, Config{})
	body, _ := do(t, a, questionOf("q"), func(ctx context.Context) (Produced, error) {
		require.NoError(t, a.cache.Invalidate(ctx, "product:A"))
		return entire("old", "product:A"), nil
	})
	require.Equal(t, "old", body)
	require.Nil(t, a.Kept(questionOf("q")))
}

// Random schedules of makers and invalidations: what was read before an invalidation
// is not given to who asks after it.
func TestC11_NoScheduleGivesWhatWasReadBeforeAnInvalidation(t *testing.T) {
	t.Parallel()
	for seed := range 500 {
		synctest.Test(t, func(t *testing.T) {
			a := newAnswers(t, Config{})
			r := rand.New(rand.NewPCG(uint64(seed), 3))
			var truth atomic.Int64
			var wg sync.WaitGroup
			for range 50 {
				time.Sleep(time.Duration(r.IntN(4)) * time.Millisecond)
				if r.IntN(3) == 0 {
					truth.Add(1)
					require.NoError(t, a.cache.Invalidate(t.Context(), "product:A"))
					continue
				}
				before, after := time.Duration(r.IntN(5))*time.Millisecond, time.Duration(r.IntN(5))*time.Millisecond
				least := truth.Load()
				wg.Go(func() {
					answer, _, err := a.Do(t.Context(), questionOf("q"), func(context.Context) (Produced, error) {
						time.Sleep(before)
						read := truth.Load()
						time.Sleep(after)
						return entire(fmt.Sprint(read), "product:A"), nil
					})
					assert.NoError(t, err)
					var got int64
					_, err = fmt.Sscan(string(answer.Body), &got)
					assert.NoError(t, err)
					assert.GreaterOrEqual(t, got, least)
				})
			}
			wg.Wait()
		})
	}
}

func TestC12_AnInvalidatedTagTakesTheAnswersMadeOfItAndNoOthers(t *testing.T) {
	t.Parallel()
	a := newAnswers(t, Config{})
	do(t, a, questionOf("a"), making(entire("a", "product:A", "stock:A")))
	do(t, a, questionOf("ab"), making(Produced{Body: []byte("ab"), Whole: true, Sources: []commerce.Source{good("product:A"), good("product:B")}}))
	do(t, a, questionOf("b"), making(entire("b", "product:B")))
	require.NoError(t, a.cache.Invalidate(t.Context(), "product:A"))
	require.Nil(t, a.Kept(questionOf("a")))
	require.Nil(t, a.Kept(questionOf("ab")))
	require.NotNil(t, a.Kept(questionOf("b")))
	require.NoError(t, a.cache.Invalidate(t.Context(), commerce.TagAll))
	require.Nil(t, a.Kept(questionOf("b")))
}

func TestC1_AnAnswerIsMadeOnceForAllWhoAskAtOnce(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]error{"made": nil, "failed": commerce.ErrUnavailable} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAnswers(t, Config{})
				var calls, misses atomic.Int64
				var wg sync.WaitGroup
				for range 10_000 {
					wg.Go(func() {
						answer, result, err := a.Do(t.Context(), questionOf("q"), func(context.Context) (Produced, error) {
							calls.Add(1)
							time.Sleep(500 * time.Millisecond)
							return entire("once"), fails
						})
						if result == Miss {
							misses.Add(1)
						}
						assert.ErrorIs(t, err, fails)
						if fails == nil {
							assert.Equal(t, "once", string(answer.Body))
						}
					})
				}
				wg.Wait()
				assert.Equal(t, int64(1), calls.Load())
				assert.Equal(t, int64(1), misses.Load())
			})
		})
	}
}

// Who looked just before an answer was kept does not have it made again.
func TestC1_WhoLooksTooEarlyIsGivenTheAnswerThatHasLanded(t *testing.T) {
	t.Parallel()
	a, q := newAnswers(t, Config{}), questionOf("q")
	do(t, a, q, making(entire("one")))
	p, result := a.board(t.Context(), q.key(), making(entire("two")))
	<-p.done
	require.Equal(t, Hit, result)
	require.Equal(t, "one", string(p.answer.Body))
}

func TestC3_WhoLeavesFailsNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(t, Config{})
		start := time.Now()
		slow := func(ctx context.Context) (Produced, error) {
			select {
			case <-time.After(100 * time.Millisecond):
				return entire("late"), nil
			case <-ctx.Done():
				return Produced{}, ctx.Err()
			}
		}
		leader, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_, result, err := a.Do(leader, questionOf("q"), slow)
			assert.Equal(t, Miss, result)
			assert.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, 10*time.Millisecond, time.Since(start))
		})
		synctest.Wait()
		wg.Go(func() {
			answer, result, err := a.Do(t.Context(), questionOf("q"), slow)
			assert.NoError(t, err)
			assert.Equal(t, Shared, result)
			assert.Equal(t, "late", string(answer.Body))
			assert.Equal(t, 100*time.Millisecond, time.Since(start))
		})
		wg.Go(func() {
			hasty, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			_, _, err := a.Do(hasty, questionOf("q"), slow)
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, 20*time.Millisecond, time.Since(start))
		})
		time.Sleep(10 * time.Millisecond)
		leave()
		wg.Wait()
	})
}

func TestAnAnswerNobodyWaitsForIsNotMadeOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(t, Config{})
		ended := make(chan error, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, _, err := a.Do(ctx, questionOf("q"), func(ctx context.Context) (Produced, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return Produced{}, ctx.Err()
		})
		require.Error(t, err)
		require.Error(t, <-ended)
		body, result := do(t, a, questionOf("q"), making(entire("next")))
		require.Equal(t, "next", body)
		require.Equal(t, Miss, result)
	})
}

// The caching headers we emit, by RFC 9111: what is left by them is never more than
// what is left of the part that is current for the shortest.
func TestC24_AgeAndMaxAgeOfAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		age, fresh      time.Duration
		control         string
		firstAge, later int // Age at first, and after 2.5 s
	}{
		"new":         {0, 8 * time.Second, "public, max-age=8", 0, 3},
		"aged":        {20 * time.Second, 10500 * time.Millisecond, "public, max-age=30", 20, 23},
		"capped":      {0, time.Hour, "public, max-age=60", 0, 3},
		"a fraction":  {1500 * time.Millisecond, 4 * time.Second, "public, max-age=5", 2, 4},
		"not current": {50 * time.Second, 0, "public, max-age=50", 50, 53},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := newAnswers(t, Config{SurrogateKeyBytes: 3 << 10})
				made := entire("x", "product:A")
				made.Sources = append(made.Sources, good("product:B", "product:A"))
				made.Sources[0].Age, made.Sources[0].Fresh, made.Sources[1].Fresh = c.age, time.Hour, c.fresh
				answer, _, err := a.Do(t.Context(), questionOf("q"), making(made))
				require.NoError(t, err)
				assert.Equal(t, c.control, field(answer, "Cache-Control"))
				assert.Equal(t, c.firstAge, answer.Age())
				assert.Equal(t, "all product:A product:B", field(answer, "Surrogate-Key"))
				time.Sleep(2500 * time.Millisecond)
				assert.Equal(t, c.later, answer.Age())
				life := min(c.fresh, maxAnswerLife)
				if life == 0 {
					assert.Nil(t, a.Kept(questionOf("q")))
					return
				}
				time.Sleep(max(0, life*60/100-2500*time.Millisecond))
				for time.Since(answer.began) < life*90/100 {
					assert.NotNil(t, a.Kept(questionOf("q")), "kept as long as its parts are current, if it is read all the time")
					time.Sleep(life / 100)
				}
				time.Sleep(life - time.Since(answer.began))
				assert.Nil(t, a.Kept(questionOf("q")), "and no longer")
			})
		})
	}
}

// field is a value of an answer's header, or empty.
func field(answer *Answer, name string) string {
	for _, f := range append(slices.Clone(answer.Fields()), answer.AgeField()) {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

func TestSurrogateKeysAreBounded(t *testing.T) {
	t.Parallel()
	made := entire("x")
	for i := range 1000 {
		made.Sources = append(made.Sources, good(commerce.TagProduct(commerce.SKU(fmt.Sprintf("%032d", i)))))
	}
	answer, _, err := newAnswers(t, Config{SurrogateKeyBytes: 3 << 10}).Do(t.Context(), questionOf("q"), making(made))
	require.NoError(t, err)
	require.Empty(t, field(answer, "Surrogate-Key"))
	require.Equal(t, "private, max-age=30", field(answer, "Cache-Control"), "what cannot be purged is not for shared caches")

	answer, _, err = newAnswers(t, Config{}).Do(t.Context(), questionOf("q"), making(made))
	require.NoError(t, err)
	require.Empty(t, field(answer, "Surrogate-Key"), "turned off")
	require.Equal(t, "public, max-age=30", field(answer, "Cache-Control"))
}

// What the cache's ports report is what proves an answer, each in its own way.
func TestPortsReportWhatProvesAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(t, Config{})
		upstream := &source{}
		port := over(a.cache, upstream)
		made := func(ctx context.Context) (Produced, error) {
			ctx, sink := commerce.WithSink(ctx)
			p, err := port.Products(ctx, us, []commerce.SKU{"A"})
			return Produced{Body: []byte(fmt.Sprint(len(p))), Whole: err == nil, Sources: sink.Sources()}, err
		}
		ask := func() Result {
			_, result := do(t, a, questionOf("q"), made)
			return result
		}
		require.Equal(t, Miss, ask())
		require.Equal(t, Hit, ask())
		time.Sleep(59 * time.Second)
		require.Equal(t, Hit, ask())
		time.Sleep(time.Second)
		require.Equal(t, Miss, ask(), "capped")
		require.Equal(t, 1, upstream.count())

		require.NoError(t, a.cache.Invalidate(t.Context(), commerce.TagProduct("A")))
		require.Equal(t, Miss, ask())
		require.Equal(t, 2, upstream.count(), "both tiers have dropped it")

		upstream.set(func(s *source) { s.value = func(int, commerce.SKU) *commerce.Product { return nil } })
		require.NoError(t, a.cache.Invalidate(t.Context(), commerce.TagProduct("A")))
		require.Equal(t, Miss, ask())
		require.Equal(t, Hit, ask())
		time.Sleep(maxNegative)
		require.Equal(t, Miss, ask(), "what is not there is not kept for longer than its parts")
	})
}

// Traffic that never pauses sees no answer turn stale: parts are renewed while they are
// still good, although whole answers stand before them.
func TestC9_SteadyTrafficNeverWaitsForARenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(t, Config{})
		upstream := &stockSource{source{takes: 30 * time.Millisecond}}
		port := a.cache.Wrap(commerce.Ports{Inventory: upstream, Traits: publicTraits(commerce.OpAvailability)}).Inventory
		hits := 0
		ask := func() {
			_, result, err := a.Do(t.Context(), questionOf("q"), func(ctx context.Context) (Produced, error) {
				ctx, sink := commerce.WithSink(ctx)
				_, err := port.Availability(ctx, us, []commerce.SKU{"A"})
				return Produced{Body: []byte("x"), Whole: err == nil, Sources: sink.Sources()}, err
			})
			assert.NoError(t, err)
			if result == Hit {
				hits++
			}
		}
		ask()
		for range 20_000 { // ten minutes' worth
			began := time.Now()
			ask()
			assert.Zero(t, time.Since(began))
			time.Sleep(30 * time.Millisecond)
		}
		assert.LessOrEqual(t, upstream.count(), 100)
		assert.Greater(t, hits, 19_500)
	})
}

func TestC21_AnswersKeepToTheirBudget(t *testing.T) {
	t.Parallel()
	a := newAnswers(t, Config{AnswerBytes: 1 << 20})
	body := strings.Repeat("x", 10_000)
	for i := range 2_000 {
		do(t, a, questionOf(fmt.Sprint(i)), making(entire(body)))
	}
	a.table.CleanUp()
	assert.LessOrEqual(t, a.table.WeightedSize(), uint64(liveBytes(1<<20)))
	assert.Greater(t, a.table.WeightedSize(), uint64(liveBytes(1<<19)))
}

func TestAnswersCanBeOff(t *testing.T) {
	t.Parallel()
	c := newCache(t, realTime)
	a, err := NewAnswers(c, Config{}, "web", nil)
	require.NoError(t, err)
	require.Nil(t, a)
	require.Nil(t, a.Kept(questionOf("q")))
	a.Count(Bypass)
	a.Close()
	_, err = NewAnswers(c, Config{AnswerBytes: 1}, "web", nil)
	require.ErrorContains(t, err, "CACHE_ANSWER_BYTES")
	_, err = NewAnswers(c, Config{AnswerBytes: -1}, "web", nil)
	require.Error(t, err)
}

func TestClosingEndsWhatIsBeingMade(t *testing.T) {
	t.Parallel()
	a, err := NewAnswers(newCache(t, realTime), Config{AnswerBytes: 1 << 20}, "web", nil)
	require.NoError(t, err)
	begun := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _, err := a.Do(context.Background(), questionOf("q"), func(ctx context.Context) (Produced, error) {
			close(begun)
			<-ctx.Done()
			return Produced{}, ctx.Err()
		})
		assert.ErrorIs(t, err, context.Canceled)
	})
	<-begun
	a.Close()
	wg.Wait()
}
