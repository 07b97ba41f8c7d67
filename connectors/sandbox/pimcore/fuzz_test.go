package pimcore_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzFilter has any filter be answered with 200 and JSON, whatever it says.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`{"sku":"A"}`, `{"$or":[{"sku":"A"},[]]}`, `{"$and":[{"$or":[]}]}`, `[{"id":{"$gt":1,"$notnull":1}}]`,
		`{"sku":{"$like":"%_%"}}`, `{"sku":{"$notlike":null}}`, `null`, `{"color":{"$not":null}}`, `{"a":{}}`,
	} {
		f.Add(seed)
	}
	var h http.Handler
	f.Fuzz(func(t *testing.T, filter string) {
		if h == nil {
			h = dialect(t)
		}
		variables := map[string]any{"filter": filter}
		text := ask(t, h, `query f($filter: String) { getProductListing(first: 1, filter: $filter) { totalCount } }`, variables)
		require.True(t, json.Valid([]byte(text)))
	})
}
