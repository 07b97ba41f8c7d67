package pimcore

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/connectors/quick/quicktest"
	"github.com/portico-bff/portico/schema/commerce"
)

const (
	someProducts = `{"data":{"getProductListing":{"edges":[{"node":{"sku":"A-1","modificationDate":1700000000,"name":"Bike","fallbackName":null,` +
		`"description":"<p>R\u00e9d<\/p>","brand":{"name":"B"},"categories":[{"id":"7","name":"C","fallbackName":"C"},null],"color":"Red","size":null,` +
		`"weight":{"value":2.50,"unit":{"abbreviation":"kg"}},"images":[{"image":{"t0":"\/a.png","t1":null}},null,{"image":null}],` +
		`"variants":[{"sku":"A-1","name":"Bike","color":"Red"},{"sku":"A-2","name":"Bike 2","color":"Blue"},null]}},{"node":null},` +
		`{"node":{"sku":"A-2","name":null,"fallbackName":"Bike 2","description":"","fallbackDescription":"<p>R\u00e9d<\/p>","brand":{"name":"B"},` +
		`"categories":[{"id":"7","name":"C","fallbackName":"C"},null],"images":[{"image":{"t0":"\/a.png","t1":null}}],` +
		`"variants":[{"sku":"A-1","name":"Bike","color":"Red"},{"sku":"A-2","name":"Bike 2","color":"Blue"},null]}}]}}}`
	someReviews = `{"data":{"getProductListing":{"totalCount":1,"edges":[{"node":{"sku":"A-1","reviews":[{"id":"1","author":"Ann","rating":5,"body":"ok","date":1},null]}},` +
		`{"node":{"sku":"A-2","reviews":[{"id":"2","rating":4,"date":3},{"id":"3","rating":4,"date":4}]}},{"node":{"sku":"A-3","reviews":null}}]}}}`
	someRelated = `{"data":{"getProductListing":{"edges":[{"node":{"sku":"A-1","related":[{"sku":"A-2","name":"Bike 2","fallbackName":null,` +
		`"brand":{"name":"B"},"images":[null,{"image":null},{"image":{"t0":"\/a.png","t1":null}},{"image":{"t0":"\/b.png"}}]},null,{}]}},` +
		`{"node":{"sku":"A-2","related":[{"sku":"A-3","brand":null,"fallbackName":"R\u00e9d","images":[{"image":{"t0":"\/a.png","t1":null}}]},{"sku":"A-2"}]}}]}}}`

	productsRoot = "getProductListing"
)

// rows are what an answer's rows become, however they are read. How they do is said by a K.
type rows[K kind[T, V], T any, V shown] struct{ List []V }

type kind[T any, V shown] interface {
	room() *T
	show(w *T) V
}

func (l *rows[K, T, V]) take(w *T) {
	var k K
	l.List = append(l.List, k.show(w))
}

func (l *rows[K, T, V]) ReadQuick(r *quick.Reader) bool {
	var k K
	answer := wireAnswer[T]{root: productsRoot, row: k.room(), take: l.take}
	return answer.ReadQuick(r)
}

func (l *rows[K, T, V]) UnmarshalJSON(data []byte) error {
	var answer wireAnswer[T]
	if err := json.Unmarshal(data, &answer); err != nil {
		return err
	}
	got, err := sorted(answer.Data[productsRoot], answer.Errors)
	for _, node := range got.nodes {
		l.take(node)
	}
	return err
}

type (
	productRows struct{}
	reviewRows  struct{}
	relatedRows struct{}
)

// somePictures are a shop's: one address needs no escaping.
var somePictures = func() pictures {
	p, err := parsePictures(Config{PublicAssetURL: "https://cdn.example.test/a", Thumbnails: []string{"small=80", "large=240"}})
	if err != nil {
		panic(err)
	}
	return p
}()

func (productRows) room() *wireProduct { return newProductRoom(&somePictures) }

func (productRows) show(w *wireProduct) *commerce.Product {
	return (&connector{pictures: somePictures}).product(w)
}

func (reviewRows) room() *wireReviewed { return &wireReviewed{} }

func (reviewRows) show(w *wireReviewed) *commerce.ReviewSummary { return summary(w) }

func (relatedRows) room() *wireRelated { return newRelatedRoom(&somePictures) }

func (relatedRows) show(w *wireRelated) []commerce.RelatedProduct {
	return (&connector{pictures: somePictures}).others(w)
}

func newProducts() quick.Value {
	return &rows[productRows, wireProduct, *commerce.Product]{}
}

func newReviews() quick.Value {
	return &rows[reviewRows, wireReviewed, *commerce.ReviewSummary]{}
}

func newRelated() quick.Value {
	return &rows[relatedRows, wireRelated, []commerce.RelatedProduct]{}
}

func TestN16_AnswersAreReadAsEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		good string
		made func() quick.Value
	}{"products": {someProducts, newProducts}, "reviews": {someReviews, newReviews}, "related": {someRelated, newRelated}} {
		require.True(t, quicktest.Agree(t, []byte(test.good), test.made), name)
		read := 0
		quicktest.Spoil([]byte(test.good), func(data []byte) {
			if quicktest.Agree(t, data, test.made) {
				read++
			}
		})
		assert.Greater(t, read, 10, name)
	}
}

func FuzzQuickAnswers(f *testing.F) {
	f.Add([]byte(someProducts))
	f.Add([]byte(someReviews))
	f.Add([]byte(someRelated))
	f.Fuzz(func(t *testing.T, data []byte) {
		quicktest.Agree(t, data, newProducts)
		quicktest.Agree(t, data, newReviews)
		quicktest.Agree(t, data, newRelated)
	})
}
