package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestKeysArePartedWhereTheirArgumentsBegin(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		k := anyKey(r)
		require.Len(t, k.prefix(), prefixLength(k.String()))
		require.Equal(t, k.args, argsOf(k.String()))
	}
}

// recipeShop has products of any SKU, whose names can be set, and counts calls.
type recipeShop struct {
	mu    sync.Mutex
	name  map[commerce.SKU]string
	fails bool
	calls int
}

func (s *recipeShop) Products(_ context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.fails {
		return nil, &commerce.CallError{Kind: commerce.ErrUnavailable, Reason: commerce.ReasonUnavailable}
	}
	found := map[commerce.SKU]*commerce.Product{}
	for _, sku := range skus {
		found[sku] = &commerce.Product{SKU: sku, Name: s.name[sku]}
	}
	return found, nil
}

func (s *recipeShop) set(sku commerce.SKU, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name[sku] = name
}

func (s *recipeShop) fail(fails bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = fails
}

func (s *recipeShop) called() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// listing makes an answer of the products skus.
func listing(catalog commerce.Catalog, skus ...commerce.SKU) Maker {
	return func(ctx context.Context) (Produced, error) {
		ctx, sink := commerce.WithSink(ctx)
		found, err := catalog.Products(ctx, us, skus)
		if err != nil {
			return Produced{}, err
		}
		body := []byte{}
		for _, sku := range skus {
			body = append(append(body, found[sku].Name...), ' ')
		}
		return Produced{Body: body, Whole: true, Seed: fmt.Append(nil, skus), Lists: sink.Lists(nil), Of: "of", Name: "page"}, nil
	}
}

func TestAProofMakesNoCallAndNoBody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(t, Config{SurrogateKeyBytes: 3 << 10})
		shop := &recipeShop{name: map[commerce.SKU]string{"A": "a", "B": "b"}}
		catalog := over(a.cache, shop)
		require.Nil(t, a.Proof(questionOf("q")))
		answer, _, err := a.Do(t.Context(), questionOf("q"), listing(catalog, "A", "B"))
		require.NoError(t, err)
		require.NotNil(t, answer.Entity)
		a.table.InvalidateAll()

		proof := a.Proof(questionOf("q"))
		require.NotNil(t, proof)
		assert.Equal(t, answer.Entity()[0], proof.Entity())
		assert.Equal(t, answer.Fields(), proof.Fields())
		assert.Equal(t, answer.AgeField(), proof.AgeField())
		assert.Equal(t, "of", proof.Of())
		assert.Equal(t, "page", proof.Name())
		assert.Nil(t, a.Proof(questionOf("other")))

		time.Sleep(100*time.Second + time.Millisecond)
		proof = a.Proof(questionOf("q"))
		require.NotNil(t, proof, "its parts live longer than a whole answer does")
		assert.Equal(t, "101", proof.AgeField().Value)
		assert.Equal(t, "public, max-age=160", proof.Fields()[0].Value)
		assert.Equal(t, 1, shop.calls)
	})
}

func TestProofsAreFoundUnderOtherNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(t, Config{})
		letters := AppendLetters(nil, []byte("/q"))
		require.Nil(t, a.ProofLetters(letters, time.Now()))
		catalog := over(a.cache, &recipeShop{})
		answer, _, err := a.Do(t.Context(), questionOf("q"), listing(catalog, "A"))
		require.NoError(t, err)
		a.Alias(questionOf("literally"), answer)
		a.AliasLetters(letters, answer)
		time.Sleep(2 * maxAnswerLife)
		assert.Nil(t, a.Kept(questionOf("q")))
		assert.Nil(t, a.KeptLetters(letters, time.Now()))
		for name, proof := range map[string]*Proof{
			"alias": a.Proof(questionOf("literally")), "letters": a.ProofLetters(letters, time.Now()),
		} {
			require.NotNil(t, proof, name)
			assert.Equal(t, answer.Entity()[0], proof.Entity(), name)
		}
		for name, none := range map[string]*Proof{
			"others": a.ProofLetters(AppendLetters(nil, []byte("/p")), time.Now()), "none": a.ProofLetters(nil, time.Now()),
			"a question's": a.ProofLetters([]byte(questionOf("q").key()), time.Now()), "nothing": (*Answers)(nil).Proof(questionOf("q")),
		} {
			assert.Nil(t, none, name)
		}
	})
}

// Whoever asks by its tag again and again has what is about to end loaded anew, as who reads it has, and so
// never waits for it.
func TestAProofLeavesWhatIsDueToBeLoadedAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(t, Config{})
		shop := &recipeShop{}
		catalog := over(a.cache, shop)
		_, _, err := a.Do(t.Context(), questionOf("q"), listing(catalog, "A"))
		require.NoError(t, err)
		var part *entry
		for _, e := range a.cache.memory.values.All() {
			part = e
		}
		require.NotNil(t, part)
		proofs := 0
		for ; a.Proof(questionOf("q")) != nil; proofs++ {
			time.Sleep(5 * time.Second)
		}
		assert.Greater(t, proofs, 10)
		assert.Less(t, part.age(time.Now()), part.fresh)
		_, _, err = a.Do(t.Context(), questionOf("q"), listing(catalog, "A"))
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, 2, shop.called(), "it is loaded anew")
		assert.NotNil(t, a.Proof(questionOf("q")))
	})
}

// However often its parts are loaded anew and are what they were, it is forgotten what an answer was made of.
func TestARecipeLastsAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAnswers(t, Config{})
		catalog := over(a.cache, &recipeShop{})
		_, _, err := a.Do(t.Context(), questionOf("q"), listing(catalog, "A"))
		require.NoError(t, err)
		again := func() *Proof {
			a.cache.memory.values.InvalidateAll()
			_, err := catalog.Products(t.Context(), us, []commerce.SKU{"A"})
			require.NoError(t, err)
			return a.Proof(questionOf("q"))
		}
		const quarter = 15 * time.Minute
		time.Sleep(quarter - time.Second)
		assert.NotNil(t, again())
		time.Sleep(time.Second)
		assert.Nil(t, again())
	})
}

// Of what cannot be found in memory again nothing is remembered, nor of what nobody asked a tag for.
func TestOnlyWhatMemoryKeepsHasARecipe(t *testing.T) {
	t.Parallel()
	a := newAnswers(t, Config{})
	for name, change := range map[string]func(*Produced){
		"no seed":    func(p *Produced) { p.Seed = nil },
		"a gap":      func(p *Produced) { p.Whole = false },
		"no version": func(p *Produced) { p.Sources[0].Kept = nil },
		"elsewhere":  func(p *Produced) { p.Sources[0].Kept = fixed(firstVersion) },
		"a stranger": func(p *Produced) { p.Sources[0].Kept = &entry{} },
		"stale":      func(p *Produced) { p.Sources[0].State = commerce.StateStale },
		"ended":      func(p *Produced) { p.Sources[0].Fresh = 0 },
	} {
		made := entire(name, "a")
		p := (&plan{name: commerce.OpProducts, codec: codecOf[[]commerce.SKU]()})
		made.Seed, made.Sources[0].Kept = []byte("seed"), newEntry([]commerce.SKU{"A"}, time.Now(), p.policy).of(p, key{}.String())
		change(&made)
		_, _, err := a.Do(t.Context(), questionOf(name), making(made))
		require.NoError(t, err)
		require.Nil(t, a.recipes.Load(), name)
	}
}

// What is weighed is what is held: lists have room behind what is in them.
func TestARecipeIsWeighedWithItsRoom(t *testing.T) {
	t.Parallel()
	const room = 100
	tight := &recipe{parts: make([]ingredient, 1), groups: make([]group, 1), purged: make([]Field, 1)}
	for _, loose := range []*recipe{
		{parts: make([]ingredient, 1, room), groups: tight.groups, purged: tight.purged},
		{parts: tight.parts, groups: make([]group, 1, room), purged: tight.purged},
		{parts: tight.parts, groups: tight.groups, purged: make([]Field, 1, room)},
	} {
		assert.GreaterOrEqual(t, loose.size(), tight.size()+(room-1)*uint32(unsafe.Sizeof(ingredient{})))
	}
}
