package pimcore

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestChangesAreMappedToWhatTheyTouch(t *testing.T) {
	t.Parallel()
	const updated = "pimcore.dataobject.postUpdate"
	for name, c := range map[string]struct {
		kind, data string
		want       []commerce.Tag
	}{
		"a product":                   {updated, `{"id":271,"className":"Product","sku":"A","variants":[]}`, []commerce.Tag{"product:A", "reviews:A"}},
		"a product added":             {"pimcore.dataobject.postAdd", `{"className":"Product","sku":"A","variants":["B"]}`, []commerce.Tag{"product:A", "reviews:A", "product:B"}},
		"a product deleted":           {"pimcore.dataobject.postDelete", `{"className":"Product","sku":"A","variants":["B","C"]}`, []commerce.Tag{"product:A", "reviews:A", "product:B", "product:C"}},
		"siblings that are not named": {updated, `{"className":"Product","sku":"A"}`, []commerce.Tag{"product:A", "reviews:A", "op:catalog.products"}},
		"a product without SKU":       {updated, `{"className":"Product","id":"271","variants":["B"]}`, []commerce.Tag{"op:related.related", "op:reviews.reviews", "op:catalog.products"}},
		"a SKU of odd characters":     {updated, `{"className":"Product","sku":"Ä 1","variants":[]}`, []commerce.Tag{commerce.TagProduct("Ä 1"), commerce.TagReviews("Ä 1")}},
		"a category":                  {updated, `{"className":"Category","id":57}`, []commerce.Tag{"categories", "category:57"}},
		"a category's id as text":     {updated, `{"className":"Category","id":"57"}`, []commerce.Tag{"categories", "category:57"}},
		"a category without id":       {updated, `{"className":"Category","id":null}`, []commerce.Tag{"categories", "op:catalog.products"}},
		"a brand":                     {updated, `{"className":"Brand","id":501}`, []commerce.Tag{"op:catalog.products", "op:related.related"}},
		"a review":                    {updated, `{"className":"Review","sku":"A"}`, []commerce.Tag{"reviews:A"}},
		"a review of anything":        {updated, `{"className":"Review","id":7}`, []commerce.Tag{"op:reviews.reviews"}},
		"a page":                      {updated, `{"className":"ContentPage","key":"home"}`, []commerce.Tag{"page:home"}},
		"a page without key":          {updated, `{"className":"ContentPage"}`, []commerce.Tag{"op:content.pages"}},
		"another class":               {updated, `{"className":"Shop"}`, []commerce.Tag{"system:pimcore"}},
		"a folder":                    {updated, `{}`, []commerce.Tag{"system:pimcore"}},
		"a picture":                   {"pimcore.asset.postUpdate", `{"id":9}`, []commerce.Tag{"system:pimcore"}},
		"a new picture":               {"pimcore.asset.postAdd", `{"id":9}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tags, err := Changes(commerce.ChangeEvent{Type: c.kind, Data: []byte(c.data)})
			require.NoError(t, err)
			assert.Equal(t, c.want, tags)
		})
	}
}

func TestChangesThatAreNotUnderstoodNameTheField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, data, field string }{
		{"pimcore.dataobject.preUpdate", `{}`, "type"},
		{"pimcore.document.postUpdate", `{}`, "type"},
		{"dataobject.postUpdate", `{}`, "type"},
		{"postUpdate", `{}`, "type"},
		{"", `{}`, "type"},
		{"pimcore.dataobject.postUpdate", `{"className":5}`, "data.className"},
		{"pimcore.dataobject.postUpdate", `{"className":"Product","variants":"A"}`, "data.variants"},
	} {
		_, err := Changes(commerce.ChangeEvent{Type: c.kind, Data: []byte(c.data)})
		require.ErrorIs(t, err, commerce.ErrInvalid, c)
		wrong, ok := errors.AsType[*commerce.InputError](err)
		require.True(t, ok)
		assert.Equal(t, c.field, wrong.Field)
	}
}

// FuzzChanges looks for payloads that are taken although nothing is dropped for them, and for tags that are none.
func FuzzChanges(f *testing.F) {
	f.Add("pimcore.dataobject.postUpdate", []byte(`{"className":"Product","sku":"A","variants":["B"]}`))
	f.Add("pimcore.dataobject.postDelete", []byte(`{"className":"Category","id":{"a":1}}`))
	f.Add("pimcore.asset.postDelete", []byte(`{"id":"\""}`))
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		if !json.Valid(data) {
			return
		}
		tags, err := Changes(commerce.ChangeEvent{Type: kind, Data: data})
		if err != nil {
			require.ErrorIs(t, err, commerce.ErrInvalid)
			return
		}
		assert.True(t, len(tags) > 0 || kind == "pimcore.asset.postAdd")
		for _, tag := range tags {
			_, err := commerce.ParseTag(string(tag))
			require.NoError(t, err)
		}
	})
}
