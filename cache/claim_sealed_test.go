//go:build cachehash

package cache

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// ring holds itself, and one of most kinds of things.
type ring struct {
	next *ring
	seen map[string]*ring
	at   time.Time
	note any
}

// A change is seen wherever in the value it is.
func TestC22_ChangesAreSeenWhereverTheyAre(t *testing.T) {
	t.Parallel()
	leaf := &commerce.Category{ID: "b"}
	tree := commerce.NewCategoryTree([]*commerce.Category{{ID: "a", Children: []*commerce.Category{leaf}}})
	roomy := append(make([]string, 0, 4), "one")
	round := &ring{at: time.Now(), seen: map[string]*ring{"other": {}}}
	round.next, round.seen["self"] = round, round
	product := &commerce.Product{SKU: "A", Categories: []commerce.CategoryRef{{ID: "a"}}}
	answer := &Answer{Produced: Produced{Body: []byte("body")}, entry: &entry{}}
	for _, change := range []struct {
		what  string
		value any
		make  func()
	}{
		{"a field", product, func() { product.Name += "!" }},
		{"a list's element", product, func() { product.Categories[0].ID += "!" }},
		{"a tree's leaf", tree, func() { leaf.Name += "!" }},
		{"the room behind a list", roomy, func() { _ = append(roomy, "two") }},
		{"two that change places", roomy[:2], func() { roomy[:2][0], roomy[:2][1] = roomy[:2][1], roomy[0] }},
		{"a map's value, of a type that holds itself", round, func() { round.seen["other"].at = round.at }},
		{"a map's key", round, func() { delete(round.seen, "other") }},
		{"a time", round, func() { round.at = round.at.Add(1) }},
		{"what an interface holds", round, func() { round.note = 1 }},
		{"the type of what it holds", round, func() { round.note = int8(1) }},
		{"what a pointer leads to", round, func() { round.next = &ring{} }},
		{"the bytes of a whole answer", answer, func() { answer.Body[0]++ }},
	} {
		before := hashOf(change.value)
		require.Equal(t, before, hashOf(change.value), change.what)
		change.make()
		assert.NotEqual(t, before, hashOf(change.value), change.what)
	}
	before := hashOf(answer)
	answer.entry.seen.Store(1)
	assert.Equal(t, before, hashOf(answer), "what the cache itself notes is no part of the answer")
}

// What nobody changes keeps its hash, in whatever order maps are read.
func TestC22_WhatIsReadOnlyKeepsItsHash(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.MapOf(rapid.Int(), rapid.Bool()))).Draw(t, "value")
		before := hashOf(value)
		for range 10 {
			require.Equal(t, before, hashOf(value))
		}
	})
}

// tampered are the ways in which the cache touches a value after somebody changed it.
var tampered = []struct {
	how   string
	touch func(*memory, *Answers)
}{
	{"it is read", func(m *memory, _ *Answers) { m.get("k") }},
	{"it is replaced", func(m *memory, _ *Answers) { m.put("k", aProduct(&commerce.Product{}), time.Hour) }},
	{"it is put again", func(m *memory, _ *Answers) {
		for k := range m.values.Values() {
			m.put("k", k, time.Hour)
		}
	}},
	{"it is dropped", func(m *memory, _ *Answers) {
		m.put("k", notFound(time.Now(), policies[commerce.OpProducts]), time.Second)
	}},
	{"it is evicted", func(m *memory, _ *Answers) {
		m.values.SetMaximum(0)
		m.values.CleanUp()
	}},
	{"a whole answer is read", func(_ *memory, a *Answers) { a.lookup(questionOf("q").key()) }},
}

func aProduct(p *commerce.Product) *entry {
	return newEntry(p, time.Now(), policies[commerce.OpProducts])
}

const tamperWith = "PORTICO_TAMPER_WITH"

// Whoever changes a shared value ends the process as soon as the cache touches it.
func TestC22_ChangesEndTheProcess(t *testing.T) {
	t.Parallel()
	for _, c := range tampered {
		if os.Getenv(tamperWith) == c.how {
			tamper(t, c.touch)
			return
		}
	}
	for _, c := range tampered {
		t.Run(c.how, func(t *testing.T) {
			t.Parallel()
			itself := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestC22_ChangesEndTheProcess$")
			itself.Env = append(os.Environ(), tamperWith+"="+c.how)
			var said bytes.Buffer
			itself.Stderr = &said
			assert.Error(t, itself.Run())
			assert.Contains(t, said.String(), "was changed by one of those who share it")
		})
	}
}

// tamper changes a product and an answer behind the cache's back, and then touches them.
func tamper(t *testing.T, touch func(*memory, *Answers)) {
	a := newAnswers(t, Config{})
	product := &commerce.Product{SKU: "A"}
	a.cache.memory.put("k", aProduct(product), time.Hour)
	answer, _, err := a.Do(t.Context(), questionOf("q"), making(entire("body")))
	require.NoError(t, err)
	a.cache.memory.get("k")
	a.lookup(questionOf("q").key())
	product.Name, answer.Body[0] = "changed", '!'
	touch(a.cache.memory, a)
	t.Error("nobody has noticed")
}

// The cache itself changes nothing.
func TestC22_NothingIsChangedInPassing(t *testing.T) {
	t.Parallel()
	shop := commercetest.NewShop()
	f := shop.Fixture()
	p := newCache(t, Config{RedisURL: urlOf(newRedis(t))}).Wrap(shop.Ports())
	for range 3 {
		products, err := p.Catalog.Products(t.Context(), f.Market, f.Products)
		require.NoError(t, err)
		require.NotEmpty(t, products)
		tree, err := p.Categories.Tree(t.Context(), f.Market)
		require.NoError(t, err)
		require.NotEmpty(t, tree.Roots)
		_, err = p.Search.Search(t.Context(), f.Market, commerce.SearchQuery{First: 10})
		require.NoError(t, err)
	}
}
