package cache

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// pieces are texts that run together unless their lengths are written: prefixes
// of each other, digits, separators, what a length looks like.
var pieces = []string{"", "a", "b", "ab", "aa", "1", "11", "\x00", "\x01", "\x01a", "a\x01", "|", ":", "a:b", "é", strings.Repeat("x", 127), strings.Repeat("x", 128)}

func piece(r *rand.Rand) string { return pieces[r.IntN(len(pieces))] }

func anyKey(r *rand.Rand) key {
	return key{
		system: piece(r), operation: commerce.Operation(piece(r)), form: piece(r), scope: commerce.Scope(r.IntN(4)),
		tenant: piece(r), caller: piece(r),
		market: commerce.Market{Channel: piece(r), Locale: piece(r), Currency: piece(r), Country: piece(r)},
		group:  commerce.PriceGroup(piece(r)), args: piece(r),
	}
}

// near differs from k in any one field, or swaps two neighbors: what is told apart only by lengths.
func near(r *rand.Rand, k key) key {
	texts := []*string{
		&k.system, (*string)(&k.operation), &k.tenant, &k.caller, &k.market.Channel, &k.market.Locale,
		&k.market.Currency, &k.market.Country, (*string)(&k.group), &k.args,
	}
	switch n := r.IntN(8 + len(texts)); n {
	case 0:
		k.system, k.operation = string(k.operation), commerce.Operation(k.system)
	case 1:
		k.tenant, k.caller = k.caller, k.tenant
	case 2:
		k.market.Channel, k.market.Locale = k.market.Channel+k.market.Locale, ""
	case 3:
		k.market.Currency, k.market.Country = "", k.market.Currency+k.market.Country
	case 4:
		k.args, k.group = string(k.group), commerce.PriceGroup(k.args)
	case 5:
		k.scope = commerce.Scope(r.IntN(4))
	case 6:
		k.form += "1"
	case 7:
		k.caller += piece(r)
	default:
		*texts[n-8] = piece(r)
	}
	return k
}

func TestC18_KeysAreInjective(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var one, two []byte
	for range 1_000_000 / sparing {
		a := anyKey(r)
		b := near(r, a)
		one, two = appendField(a.appendPrefix(one[:0]), a.args), appendField(b.appendPrefix(two[:0]), b.args)
		if (a == b) != bytes.Equal(one, two) {
			t.Fatalf("%+v and %+v are written as %q and %q", a, b, a.String(), b.String())
		}
	}
	seen := map[string]key{}
	for range 20_000 {
		k := anyKey(r)
		if other, ok := seen[k.String()]; ok {
			require.Equal(t, other, k)
		}
		seen[k.String()] = k
	}
}

func TestC18_ArgumentsAreInjective(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	query := func() commerce.SearchQuery {
		q := commerce.SearchQuery{
			Text: piece(r), Sort: commerce.Sort(piece(r)), First: r.IntN(3), After: piece(r),
			Filter:   commerce.SearchFilter{Category: commerce.CategoryID(piece(r)), PriceMin: piece(r), PriceMax: piece(r), InStock: r.IntN(2) == 0},
			NoFacets: r.IntN(2) == 0,
		}
		for range r.IntN(3) {
			if q.Filter.Facets == nil {
				q.Filter.Facets = map[string][]string{}
			}
			q.Filter.Facets[piece(r)] = []string{piece(r), piece(r)}[:r.IntN(3)]
		}
		return q
	}
	// fmt sorts maps and quotes texts: a slow, independent way to tell queries apart.
	seen := map[string]string{}
	for range 30_000 {
		q := query()
		for _, list := range q.Filter.Facets {
			if len(list) == 2 && list[0] > list[1] {
				list[0], list[1] = list[1], list[0]
			}
		}
		plain := fmt.Sprintf("%q %v", []any{q.Text, q.Sort, q.First, q.After, q.Filter.Category, q.Filter.PriceMin, q.Filter.PriceMax, q.Filter.InStock, q.NoFacets}, fmt.Sprintf("%q", q.Filter.Facets))
		written := queryText(q)
		if other, ok := seen[written]; ok {
			require.Equal(t, other, plain)
		}
		seen[written] = plain
	}
	assert.NotEqual(t, cursorText(commerce.Cursor{First: 1, After: "1"}), cursorText(commerce.Cursor{First: 11}))
}

func TestFacetAlternativesHaveNoOrder(t *testing.T) {
	t.Parallel()
	ask := func(values ...string) string {
		return queryText(commerce.SearchQuery{Filter: commerce.SearchFilter{Facets: map[string][]string{"color": values}}})
	}
	assert.Equal(t, ask("red", "blue"), ask("blue", "red"))
	assert.NotEqual(t, ask("red", "blue"), ask("redblue"))
}

func TestCallersAreToldApartByAllTheySay(t *testing.T) {
	t.Parallel()
	base := ann()
	base.Claims = map[string]string{"crm_id": "7"}
	variants := []commerce.Principal{base, ann(), bob()}
	for _, change := range []func(*commerce.Principal){
		func(p *commerce.Principal) { p.Email = "else@example.test" },
		func(p *commerce.Principal) { p.EmailVerified = false },
		func(p *commerce.Principal) { p.PriceGroup = "wholesale" },
		func(p *commerce.Principal) { p.Claims = map[string]string{"crm_id": "8"} },
		func(p *commerce.Principal) { p.Claims = map[string]string{"crm_id": "7", "x": ""} },
	} {
		p := base
		change(&p)
		variants = append(variants, p)
	}
	seen := map[string]bool{}
	for _, p := range variants {
		seen[callerText(p)] = true
	}
	assert.Len(t, seen, len(variants))
}
