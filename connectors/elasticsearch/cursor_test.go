package elasticsearch

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestCursorsOfTheSameSearchOnly(t *testing.T) {
	t.Parallel()
	base := commerce.SearchQuery{Text: "a", Filter: commerce.SearchFilter{Facets: map[string][]string{"color": {"Red"}}}}
	sum := fingerprint("en/USD", base)
	longer := base
	longer.First, longer.After, longer.NoFacets = 50, "x", true
	assert.Equal(t, sum, fingerprint("en/USD", longer), "pages may differ in size, and in whether they have facets")
	turned, same := base, base
	turned.Filter.Facets = map[string][]string{"color": {"Red", "Blue"}}
	same.Filter.Facets = map[string][]string{"color": {"Blue", "Red"}, "size": {}}
	assert.Equal(t, fingerprint("en/USD", turned), fingerprint("en/USD", same), "alternatives have no order")
	for name, change := range map[string]func(*commerce.SearchQuery){
		"text":     func(q *commerce.SearchQuery) { q.Text = "b" },
		"sort":     func(q *commerce.SearchQuery) { q.Sort = commerce.SortNewest },
		"category": func(q *commerce.SearchQuery) { q.Filter.Category = "1" },
		"facets":   func(q *commerce.SearchQuery) { q.Filter.Facets = map[string][]string{"color": {"Blue"}} },
		"price":    func(q *commerce.SearchQuery) { q.Filter.PriceMin = "1" },
		"stock":    func(q *commerce.SearchQuery) { q.Filter.InStock = true },
	} {
		other := base
		change(&other)
		assert.NotEqual(t, sum, fingerprint("en/USD", other), name)
	}
	assert.NotEqual(t, sum, fingerprint("fr/USD", base))
}

func TestCursorValuesHaveToFitTheOrder(t *testing.T) {
	t.Parallel()
	byScore := sorting{by: commerce.SortRelevance, numbers: true}
	byPrice := sorting{by: commerce.SortPriceAsc, numbers: true, ascending: true}
	byName := sorting{by: commerce.SortName, ascending: true}
	for _, c := range []struct {
		sort   sorting
		values string
		fits   bool
	}{
		{byScore, `[1.5e-7,"A"]`, true},
		{byScore, `["1","A"]`, false},
		{byScore, `[null,"A"]`, false},
		{byPrice, `[34.99,"A"]`, true},
		{byPrice, `["Infinity","A"]`, true},
		{byPrice, `["now","A"]`, false},
		{byPrice, `[{"a":1},"A"]`, false},
		{byName, `["Helmet","A"]`, true},
		{byName, `[null,"A"]`, true},
		{byName, `[1,"A"]`, false},
		{byName, `["Helmet"]`, false},
		{byName, `["Helmet",["A"]]`, false},
		{byName, `["Helmet","A","B"]`, false},
	} {
		var values []json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(c.values), &values))
		got, err := parseCursor(newCursors("sum", nil).after(wireHit{Sort: values}), "sum", c.sort)
		if !c.fits {
			require.ErrorIs(t, err, commerce.ErrInvalid, c.values)
			continue
		}
		require.NoError(t, err, c.values)
		assert.Equal(t, values, got)
	}
}

// What is seen at a glance is what the pattern takes.
func FuzzNumbers(f *testing.F) {
	for _, text := range []string{"7", "-1.5e-7", "34.99", "1370000000000", "1.", ".5", "1..2", "", "00", "12345678901234567890", "1.5\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if numberPattern.Match(text) != isNumber(text) {
			t.Fatalf("%q", text)
		}
	})
}

func FuzzParseCursor(f *testing.F) {
	seed := func(text string) { f.Add(base64.RawURLEncoding.EncodeToString([]byte(text))) }
	f.Add("")
	f.Add("not a cursor")
	seed(`{"v":1,"q":"sum","s":["a","b"]}`)
	seed(`{"v":2,"q":"sum","s":["a","b"]}`)
	seed(`{"v":1,"q":"sum","s":["a","b"]}{}`)
	seed(`{"v":1,"q":"sum","s":[[[[]]],"b"],"x":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range []sorting{{by: commerce.SortName}, {by: commerce.SortRelevance, numbers: true}, {by: commerce.SortNewest, numbers: true}} {
			values, err := parseCursor(text, "sum", s)
			var input *commerce.InputError
			switch {
			case err != nil && (!errors.As(err, &input) || input.Field != "after" || values != nil):
				t.Fatalf("%q: %v", text, err)
			case err == nil && text != "" && !s.fits(values):
				t.Fatalf("%q let %s through", text, values)
			}
			if _, err := json.Marshal(values); err != nil {
				t.Fatalf("%q cannot be sent on: %v", text, err)
			}
		}
	})
}
