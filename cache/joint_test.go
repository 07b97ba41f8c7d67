package cache

import (
	"strconv"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Keys and tags that lie together read as those that lie apart.
func TestWhatLiesTogetherReadsAsWhatLiesApart(t *testing.T) {
	t.Parallel()
	keys := []string{"BK-R93R-62", "not visible: ü", "", "a key that is longer than the first one, of which room for all is guessed"}
	which := []int{3, 0, 2, 1}
	for op := range policies {
		self := func(key string) string { return key }
		b := &batch[string, int]{
			plan: &plan{name: op, tags: templatesOf(op, "system")}, about: self,
			text: self, write: func(b []byte, key string) []byte { return append(b, key...) },
		}
		r := b.request(keys, nil)
		b.nameTogether(r, keys, []byte("prefix"))
		for i, key := range keys {
			assert.Equal(t, withArgs([]byte("prefix"), key), r.keys[i])
			assert.Equal(t, key, r.texts[i])
		}
		all, each := r.tagsOf(which), len(r.plan.tags)
		for n, i := range which {
			assert.Equal(t, r.tags(i), all[n*each:(n+1)*each], "%s of %q", op, keys[i])
		}
	}
}

func TestAPriceIsNamedAlike(t *testing.T) {
	t.Parallel()
	for _, k := range []commerce.PriceKey{{}, {SKU: "BK-R93R-62", Quantity: 1}, {SKU: "ü }", Quantity: -12}} {
		assert.Equal(t, "{"+string(k.SKU)+" "+strconv.Itoa(k.Quantity)+"}", string(appendPriceKey(nil, k)))
	}
}

// Memory that keeps one entry of a load does not hold on to all of them.
func TestC15_WhatMemoryKeepsLiesAlone(t *testing.T) {
	t.Parallel()
	c := newCache(t, Config{})
	p := wrapper{c, publicTraits(commerce.OpProducts)}.plan(commerce.OpProducts, codecOf[*commerce.Product]())
	tags := []commerce.Tag{"product:A", "category:bikes"}
	tags = append(make([]commerce.Tag, 0, 100), append(p.tagged("A"), tags[1:]...)...)
	together := make([]entry, 2)
	e := together[0].holds(&commerce.Product{SKU: "A"}, time.Now(), p.policy).of(p, "key of A").tagged(tags, stamp{local: 3, global: version{4, 5}})
	e.joint = true
	e.version.Store(77)
	e.seen.Store(8)
	c.memory.put("key of A", e, time.Hour)
	kept := c.memory.get("key of A")
	require.NotNil(t, kept)
	assert.NotSame(t, e, kept)
	assert.False(t, kept.joint)
	assert.Same(t, kept, kept.alone())
	assert.Equal(t, e.value, kept.value)
	assert.Equal(t, e.tags, kept.tags)
	assert.Equal(t, []any{e.key, e.plan, e.stamp, e.began, e.fresh, uint64(77)}, []any{kept.key, kept.plan, kept.stamp, kept.began, kept.fresh, kept.Version()})
	assert.Equal(t, len(kept.tags), cap(kept.tags))
	assert.NotSame(t, unsafe.StringData(e.key), unsafe.StringData(kept.key))
	for n := range kept.tags {
		assert.NotSame(t, &e.tags[n], &kept.tags[n])
		if n < len(p.tags) && p.tags[n].kind != "" {
			assert.NotSame(t, unsafe.StringData(string(e.tags[n])), unsafe.StringData(string(kept.tags[n])))
		}
	}
	for _, key := range c.memory.values.All() {
		assert.NotSame(t, unsafe.StringData(e.key), unsafe.StringData(key.key))
	}
	assert.Equal(t, int64(kept.size), c.memory.values.weight.Load())
}

// tagged are the tags of an answer to key.
func (p *plan) tagged(key string) []commerce.Tag {
	tags := make([]commerce.Tag, len(p.tags))
	for n, t := range p.tags {
		tags[n] = t.of(key)
	}
	return tags
}

// A list whose neighbours share categories writes their tags once, and none is mixed up.
func TestNeighboursShareTheirCategoriesTags(t *testing.T) {
	t.Parallel()
	in := func(ids ...commerce.CategoryID) *commerce.Product {
		p := &commerce.Product{}
		for _, id := range ids {
			p.Categories = append(p.Categories, commerce.CategoryRef{ID: id})
		}
		return p
	}
	first := categoriesOf(nil, nil, in("bikes", "road"))
	assert.Equal(t, []commerce.Tag{"category:bikes", "category:road"}, first)
	next := categoriesOf([]commerce.Tag{"key's"}, first, in("bikes", "mountain", "road"))
	assert.Equal(t, []commerce.Tag{"key's", "category:bikes", "category:mountain", "category:road"}, next)
	assert.Same(t, unsafe.StringData(string(first[0])), unsafe.StringData(string(next[1])))
	assert.Empty(t, categoriesOf(nil, first, nil))
	assert.Empty(t, categoriesOf(nil, first, (*commerce.Product)(nil)))
}

// More keys than a batch has are told apart, too.
func TestKeysAreAskedForOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, commerce.MaxBatch, commerce.MaxBatch + 1, 1000} {
		var keys, want []string
		for i := range n {
			keys, want = append(keys, strconv.Itoa(i)), append(want, strconv.Itoa(i))
			if i%3 == 0 && len(keys) < n {
				keys = append(keys, strconv.Itoa(i/2))
			}
		}
		keys, want = keys[:n], want[:0]
		seen := map[string]bool{}
		for _, k := range keys {
			if !seen[k] {
				want = append(want, k)
			}
			seen[k] = true
		}
		assert.Equal(t, want, distinct(keys), n)
	}
}
