package cache

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// written is a value of this release, and others are what it might have been or become.
type (
	written struct {
		SKU    commerce.SKU
		Price  int `json:"price"`
		Parts  []part
		Named  map[string]*part
		At     time.Time
		nobody int //nolint:unused // that it is not written is the point
	}
	part struct {
		Name string
		More []*part
	}
	loud string
)

func (l loud) MarshalText() ([]byte, error) { return []byte(l + "!"), nil }

// What one release wrote and another writes otherwise is not read: its keys differ.
func TestC17_EveryChangeOfAStoredTypeIsAnotherForm(t *testing.T) {
	t.Parallel()
	tags := templatesOf(commerce.OpProducts, "pim")
	own := formOf(reflect.TypeFor[*written](), tags)
	assert.Equal(t, own, formOf(reflect.TypeFor[*written](), templatesOf(commerce.OpProducts, "pim")))
	assert.Equal(t, "BFfeqdNC", own, "frozen: whoever changes this makes every entry of the release before a miss")

	type inner struct {
		Name string
		More []*inner
	}
	type nearly struct {
		Name  string
		More  []*nearly
		Extra string
	}
	alike := reflect.TypeFor[*struct {
		SKU    string
		Price  int `json:"price" doc:"no part of the form"`
		Parts  []inner
		Named  map[string]*inner
		At     time.Time
		hidden bool //nolint:unused // that it is not written is the point
	}]()
	assert.Equal(t, own, formOf(alike, tags), "names of types are not written")

	forms := map[string]string{own: "its own"}
	for name, other := range map[string]reflect.Type{
		"a field more": reflect.TypeFor[*struct {
			written
			More string
		}](),
		"a field less": reflect.TypeFor[*struct {
			SKU   commerce.SKU
			Price int `json:"price"`
			Parts []part
			Named map[string]*part
		}](),
		"a field renamed": reflect.TypeFor[*struct {
			Sku   commerce.SKU
			Price int `json:"price"`
			Parts []part
			Named map[string]*part
			At    time.Time
		}](),
		"a JSON name": reflect.TypeFor[*struct {
			SKU   commerce.SKU
			Price int `json:"amount"`
			Parts []part
			Named map[string]*part
			At    time.Time
		}](),
		"a kind": reflect.TypeFor[*struct {
			SKU   commerce.SKU
			Price int64 `json:"price"`
			Parts []part
			Named map[string]*part
			At    time.Time
		}](),
		"a type with own ways": reflect.TypeFor[*struct {
			SKU   loud
			Price int `json:"price"`
			Parts []part
			Named map[string]*part
			At    time.Time
		}](),
		"deep below": reflect.TypeFor[*struct {
			SKU   commerce.SKU
			Price int `json:"price"`
			Parts []nearly
			Named map[string]*nearly
			At    time.Time
		}](),
		"a list": reflect.TypeFor[*struct {
			SKU   commerce.SKU
			Price int `json:"price"`
			Parts [3]part
			Named map[string]*part
			At    time.Time
		}](),
		"a map's key": reflect.TypeFor[*struct {
			SKU   commerce.SKU
			Price int `json:"price"`
			Parts []part
			Named map[int]*part
			At    time.Time
		}](),
		"not by reference": reflect.TypeFor[written](),
	} {
		form := formOf(other, tags)
		assert.Empty(t, forms[form], name)
		forms[form] = name
	}
	assert.Empty(t, forms[formOf(reflect.TypeFor[*written](), tags[1:])], "other tags")
}

// Every kept operation has a form of its own, however its values hold each other.
func TestC17_FormsOfWhatIsStored(t *testing.T) {
	t.Parallel()
	c := newCache(t, realTime)
	w := wrapper{cache: c}
	forms := map[string]commerce.Operation{}
	for op, form := range map[commerce.Operation]codec{
		commerce.OpProducts: codecOf[*commerce.Product](), commerce.OpRelated: codecOf[[]commerce.RelatedProduct](),
		commerce.OpPages: codecOf[*commerce.Page](), commerce.OpReviews: codecOf[*commerce.ReviewSummary](),
		commerce.OpAvailability: codecOf[*commerce.Availability](), commerce.OpPrices: codecOf[*commerce.Price](),
		commerce.OpCategoryTree: treeCodec(), commerce.OpSearch: codecOf[*commerce.SearchResult](),
	} {
		assert.NotNil(t, shapeOf(form.stored), "%s can be stored", op)
		of := w.plan(op, form).form
		assert.Len(t, of, 8, op)
		assert.Empty(t, forms[of], op)
		forms[of] = op
	}
}

// older is a product as a release might have had it.
type older struct {
	SKU  commerce.SKU
	Name string
}

// An entry of a release whose products had fewer fields, under its own key or moved to
// this one's, is a miss.
func TestC17_AnotherReleasesEntriesAreMisses(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c := newNode(t, urlOf(server))
	theirs := batchOf[commerce.SKU, *older](wrapper{c, publicTraits(commerce.OpProducts)}, commerce.OpProducts)
	_, err := theirs.get(t.Context(), inMarket(us), []commerce.SKU{"A"}, func(_ context.Context, skus []commerce.SKU) (map[commerce.SKU]*older, error) {
		return map[commerce.SKU]*older{"A": {skus[0], "theirs"}}, nil
	})
	require.NoError(t, err)
	c.work.Wait()
	require.Len(t, entriesOf(server), 1)
	old, err := server.Get(entriesOf(server)[0])
	require.NoError(t, err)

	upstream := &source{value: numbered}
	port := over(c, upstream)
	p, _, err := ask(t.Context(), port, "A")
	require.NoError(t, err)
	assert.NotEqual(t, "theirs", p.Name)
	c.work.Wait()
	require.Len(t, entriesOf(server), 2, "each has its own")
	c.memory.values.InvalidateAll()
	for _, at := range entriesOf(server) {
		require.NoError(t, server.Set(at, old))
	}
	p, _, err = ask(t.Context(), port, "A")
	require.NoError(t, err)
	assert.NotEqual(t, "theirs", p.Name)
	assert.Equal(t, 2, upstream.count())
}

// A release that knew fewer tags of a value wrote an entry with fewer: those that the
// value tells now reach it nevertheless.
func TestC17_TagsOfAValueAreThisReleases(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c := newNode(t, urlOf(server))
	upstream := &source{value: numbered}
	port := over(c, upstream)
	_, _, err := ask(t.Context(), port, "A")
	require.NoError(t, err)
	c.work.Wait()
	payload := payloadOf(t, codecOf[*commerce.Product](), &commerce.Product{SKU: "A", Name: "theirs", Categories: []commerce.CategoryRef{{ID: "bikes"}}})
	bare := stored{payload: payload, began: time.Now(), at: c.tags.stamp().global}
	c.remote.put(t.Context(), []write{writeOf(onlyKey(t, c), bare, time.Hour)}, nil)
	c.memory.values.InvalidateAll()
	p, _, err := ask(t.Context(), port, "A")
	require.NoError(t, err)
	require.Equal(t, "theirs", p.Name)
	invalidate(t, c, commerce.TagCategory("bikes"))
	p, _, err = ask(t.Context(), port, "A")
	require.NoError(t, err)
	assert.NotEqual(t, "theirs", p.Name)
}
