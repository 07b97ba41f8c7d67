package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
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

// proofWorld is a shop that changes, fails and is not always heard of, with answers made of
// what it has.
type proofWorld struct {
	*rand.Rand
	answers *Answers
	shop    *recipeShop
	port    commerce.Catalog
	hear    func()
	skus    []commerce.SKU
	pages   [][]commerce.SKU
	bodies  map[string]string // by the tag they were told with
	given   int               // proofs
}

func newProofWorld(t *testing.T, seed uint64) *proofWorld {
	c, hear := unheardCache(t, Config{Unheard: 5 * time.Second})
	a, err := NewAnswers(c, Config{AnswerBytes: 1 << 20}, "web", nil)
	require.NoError(t, err)
	t.Cleanup(a.Close)
	w := &proofWorld{
		Rand: rand.New(rand.NewPCG(seed, 1)), answers: a, shop: &recipeShop{name: map[commerce.SKU]string{}}, hear: hear,
		skus: []commerce.SKU{"A", "B", "C", "D"}, bodies: map[string]string{},
		pages: [][]commerce.SKU{{"A"}, {"A", "B"}, {"B", "C", "D"}},
	}
	w.port = over(c, w.shop)
	return w
}

// step has one thing happen.
func (w *proofWorld) step(t *testing.T) {
	sku := w.skus[w.IntN(len(w.skus))]
	key := ""
	for k := range w.answers.cache.memory.values.Keys() {
		if argsOf(k) == string(sku) {
			key = k
		}
	}
	switch w.IntN(12) {
	case 0, 1:
		time.Sleep(time.Duration(w.Int64N(int64(90 * time.Second))))
	case 2, 3:
		time.Sleep(time.Duration(w.Int64N(int64(time.Second))))
	case 4: // nobody is told
		w.shop.set(sku, fmt.Sprint("name ", w.IntN(3)))
	case 5:
		w.answers.cache.tags.strike([]commerce.Tag{commerce.TagProduct(sku)}, false)
	case 6:
		w.answers.cache.memory.values.Invalidate(key) // evicted
	case 7:
		w.shop.fail(w.IntN(2) == 0)
	case 8, 9:
		w.hear()
	case 10: // replaced, as by what another node loaded
		if e := w.answers.cache.memory.values.get(key); e != nil {
			value := &commerce.Product{SKU: sku, Name: fmt.Sprint("name ", w.IntN(3))}
			later := newEntry(value, time.Now(), e.plan.policy).of(e.plan, key).tagged(e.tags, w.answers.cache.tags.stamp())
			w.answers.cache.memory.put(key, later, e.plan.policy.life())
		}
	default:
		_, _ = w.port.Products(t.Context(), us, []commerce.SKU{sku})
	}
	synctest.Wait()
}

// ask looks for the proof of a page. Where there is one, the page is made from memory alone,
// of fresh parts, and is what was told with that tag; where there is none it is made anew.
func (w *proofWorld) ask(t *testing.T) {
	n := w.IntN(len(w.pages))
	q, produce := questionOf(fmt.Sprint(n)), listing(w.port, w.pages[n]...)
	proof, calls := w.answers.Proof(q), w.shop.called()
	if proof != nil {
		w.given++
		made, err := produce(t.Context())
		require.NoError(t, err)
		require.Equal(t, calls, w.shop.called(), "nobody was asked")
		proven := Prove(made, time.Now(), 0)
		require.True(t, proven.Public(), "each part is fresh")
		require.Equal(t, proven.Entity()[0], proof.Entity())
		require.Equal(t, w.bodies[proof.Entity()], string(made.Body))
		require.Equal(t, proven.Fields(), proof.Fields())
		require.Equal(t, proven.AgeField(), proof.AgeField())
	}
	if proof == nil || w.IntN(4) == 0 {
		w.answers.table.InvalidateAll()
		if answer, _, err := w.answers.Do(t.Context(), q, produce); err == nil && answer.Entity != nil {
			body, known := w.bodies[answer.Entity()[0]]
			require.True(t, !known || body == string(answer.Body), "one tag, two bodies")
			w.bodies[answer.Entity()[0]] = string(answer.Body)
		}
	}
	synctest.Wait()
}

// Whatever happens to the parts of an answer, and in whatever order: they end, they are
// invalidated, replaced, evicted, loaded anew, their system fails, others are not heard.
func TestAProofStandsOnlyWhileEveryPartDoes(t *testing.T) {
	t.Parallel()
	const worlds, steps = 100 / slower, 1000
	var given atomic.Int64
	for seed := range uint64(worlds) {
		synctest.Test(t, func(t *testing.T) {
			w := newProofWorld(t, seed)
			for range steps {
				w.step(t)
				w.ask(t)
			}
			given.Add(int64(w.given))
		})
	}
	t.Logf("%d proofs in %d interleavings", given.Load(), worlds*steps)
	assert.Greater(t, given.Load(), int64(worlds*steps/20))
}

// Who asks after an invalidation was told is not given the proof of what was before it,
// however many ask and tell at once.
func TestC11_NoProofOutlivesAnInvalidation(t *testing.T) {
	t.Parallel()
	a := newAnswers(t, Config{})
	shop := &recipeShop{name: map[commerce.SKU]string{"A": "0"}}
	port := over(a.cache, shop)
	var told atomic.Int64
	var versions sync.Map // the version that is told with a tag
	var proofs atomic.Int64
	var done atomic.Bool
	var all sync.WaitGroup
	all.Go(func() {
		defer done.Store(true)
		for n := int64(1); n <= 2000/slower; n++ {
			shop.set("A", fmt.Sprint(n))
			assert.NoError(t, a.cache.Invalidate(t.Context(), commerce.TagProduct("A")))
			told.Store(n)
			if _, _, err := a.Do(t.Context(), questionOf("q"), listing(port, "A")); err != nil {
				assert.NoError(t, err)
				return
			}
			if a.Proof(questionOf("q")) != nil {
				proofs.Add(1)
			}
		}
	})
	for range 4 {
		all.Go(func() {
			for !done.Load() {
				least := told.Load()
				if proof := a.Proof(questionOf("q")); proof != nil {
					proofs.Add(1)
					if version, ok := versions.Load(proof.Entity()); ok && version.(int64) < least { //nolint:forcetypeassert // the only type
						t.Errorf("version %v was proven, %d is known", version, least)
						return
					}
					continue
				}
				answer, _, err := a.Do(t.Context(), questionOf("q"), listing(port, "A"))
				if err != nil {
					continue
				}
				var version int64
				_, _ = fmt.Sscan(string(answer.Body), &version)
				versions.Store(answer.Entity()[0], version)
			}
		})
	}
	all.Wait()
	assert.Positive(t, proofs.Load())
}

// What is remembered of answers takes no more than its share, and only where there is any.
func TestRecipesAreBounded(t *testing.T) {
	t.Parallel()
	const budget = 1 << 20
	a := newAnswers(t, Config{AnswerBytes: budget})
	p := &plan{name: commerce.OpProducts, policy: policies[commerce.OpProducts], codec: codecOf[[]commerce.SKU]()}
	ask := func(n int, seed []byte) {
		made := entire("body", "a")
		made.Seed, made.Sources = seed, nil
		for i := range 300 {
			s := good("a")
			s.Key = fmt.Sprint("sku ", n, " ", i)
			value := []commerce.SKU{commerce.SKU(s.Key)}
			s.Kept = newEntry(value, time.Now(), p.policy).of(p, key{system: "pim", operation: p.name, args: s.Key}.String())
			made.Sources = append(made.Sources, s)
		}
		_, _, err := a.Do(t.Context(), questionOf(fmt.Sprint(n)), making(made))
		require.NoError(t, err)
	}
	ask(-1, nil)
	require.Nil(t, a.recipes.Load())
	require.Equal(t, uint64(liveBytes(budget)), a.table.GetMaximum())
	for n := range 60 {
		ask(n, []byte("seed"))
	}
	recipes := a.recipes.Load()
	recipes.CleanUp()
	most := uint64(liveBytes(budget / recipeShare))
	assert.LessOrEqual(t, recipes.WeightedSize(), most)
	assert.Greater(t, recipes.WeightedSize(), most/2, "there are some")
	assert.Equal(t, uint64(liveBytes(budget-budget/recipeShare)), a.table.GetMaximum(), "answers have the rest")
	state := a.Inspect()
	assert.Equal(t, recipes.EstimatedSize(), state.Recipes)
	assert.LessOrEqual(t, state.Bytes, liveBytes(budget))
	assert.InDelta(t, liveBytes(budget), state.BudgetBytes, 2)
	for e := range recipes.Values() {
		r, _ := e.value.(*recipe)
		assert.Len(t, r.parts, 300)
		assert.Len(t, r.groups, 1)
		least := 300*16 + len(r.texts)
		assert.GreaterOrEqual(t, int(e.size), least)
		assert.Less(t, int(e.size), least+2000)
	}
}

// Nothing of an answer, nor of what lies in memory, is held by what is remembered of it.
func TestRecipesHoldNothingOfTheAnswer(t *testing.T) {
	t.Parallel()
	a := newAnswers(t, Config{SurrogateKeyBytes: 3 << 10})
	port := over(a.cache, &recipeShop{})
	answer, _, err := a.Do(t.Context(), questionOf("q"), listing(port, "A"))
	require.NoError(t, err)
	e := a.recipes.Load().get(questionOf("q").key())
	r, _ := e.value.(*recipe)
	require.Len(t, r.purged, 1)
	assert.Equal(t, answer.Fields()[1], r.purged[0])
	assert.NotSame(t, &answer.Fields()[1].Values[0], &r.purged[0].Values[0])
	for k := range a.cache.memory.values.Keys() {
		assert.True(t, strings.HasPrefix(k, r.groups[0].prefix))
		assert.Equal(t, k[len(r.groups[0].prefix):], r.texts)
	}
}

func BenchmarkProof(b *testing.B) {
	for _, parts := range []int{18, 300} {
		b.Run(fmt.Sprint("parts=", parts), func(b *testing.B) {
			a := newAnswers(b, Config{SurrogateKeyBytes: 3 << 10, AnswerBytes: 16 << 20})
			shop, skus := &recipeShop{}, make([]commerce.SKU, parts)
			for i := range skus {
				skus[i] = commerce.SKU(fmt.Sprintf("BK-R93R-%03d", i))
			}
			_, _, err := a.Do(context.Background(), questionOf("q"), listing(over(a.cache, shop), skus...))
			require.NoError(b, err)
			q := questionOf("q")
			require.NotNil(b, a.Proof(q))
			b.ReportAllocs()
			for b.Loop() {
				if a.Proof(q) == nil {
					b.Fatal("it does not stand")
				}
			}
		})
	}
}
