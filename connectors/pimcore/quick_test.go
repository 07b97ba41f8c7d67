package pimcore

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/connectors/quick/quicktest"
)

const (
	someProducts = `{"data":{"getProductListing":{"edges":[{"node":{"sku":"A-1","modificationDate":1700000000,"name":"Bike","fallbackName":null,` +
		`"description":"<p>R\u00e9d<\/p>","brand":{"name":"B"},"categories":[{"id":"7","name":"C","fallbackName":"C"},null],"color":"Red","size":null,` +
		`"weight":{"value":2.50,"unit":{"abbreviation":"kg"}},"images":[{"image":{"t0":"\/a.png","t1":null}},null,{"image":null}],` +
		`"variants":[{"sku":"A-2","name":"Bike 2","color":"Blue"},null]}},{"node":null}]}}}`
	someReviews = `{"data":{"getProductListing":{"totalCount":1,"edges":[{"node":{"sku":"A-1","reviews":[{"id":"1","author":"Ann","rating":5,"body":"ok","date":1},null]}}]}}}`
	someRelated = `{"data":{"getProductListing":{"edges":[{"node":{"sku":"A-1","related":[{"sku":"A-2"},null,{}]}}]}}}`
)

func newProducts() quick.Value { return &wireAnswer[wireProduct]{} }

func newReviews() quick.Value { return &wireAnswer[wireReviewed]{} }

func newRelated() quick.Value { return &wireAnswer[wireRelated]{} }

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
