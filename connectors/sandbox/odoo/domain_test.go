package odoo

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

func newDialect(t testing.TB) *dialect {
	t.Helper()
	w, err := world.Load()
	require.NoError(t, err)
	d, ok := New(w, Options{}).(*dialect)
	require.True(t, ok)
	return d
}

// found is what a domain finds, archived rows included.
func found(d *dialect, m *model, domain []any) (map[int]bool, error) {
	all := false
	rows, err := d.search(&env{ActiveTest: &all}, m, query{domain: domain})
	ids := map[int]bool{}
	for _, r := range rows {
		ids[r.id()] = true
	}
	return ids, err
}

// FuzzDomain feeds the evaluator whatever is JSON: it answers or refuses, and what
// a condition leaves out is what its opposite finds.
func FuzzDomain(f *testing.F) {
	d := newDialect(f)
	for _, s := range []string{
		`[["name","=","EUR"]]`, `["|",["id",">",1],["rate","<=",0.9]]`, `["!",["name","ilike","%u\\_"]]`, `["&"]`, `["&","!",["id","=",1]]`,
		`[["id","in",[1,"2",null,false,3.0]]]`, `[["name.id","=",1]]`, `[[1,"=",1],[0,"=",1]]`, `[["rate",">",1e999]]`, `[["name","=like","%%%%%_%"]]`,
		`[["id","child_of",1]]`, `[[[],{},[]]]`, `[["active","=",true]]`, `[["name","like",7]]`, `[null]`, `[["id","not in",[]]]`,
	} {
		f.Add(s)
	}
	m := d.models["res.currency"]
	f.Fuzz(func(t *testing.T, text string) {
		var domain []any
		if decode(json.RawMessage(text), &domain) != nil {
			return
		}
		inside, err := found(d, m, domain)
		if err != nil {
			if fault, ok := errors.AsType[*fault](err); !ok || fault.Status != http.StatusInternalServerError {
				t.Fatalf("%s: %v", text, err)
			}
			return
		}
		if len(domain) != 1 {
			return
		}
		outside, err := found(d, m, []any{"!", domain[0]})
		if err != nil || len(inside)+len(outside) != 3 {
			t.Fatalf("%s finds %v, its opposite %v: %v", text, inside, outside, err)
		}
	})
}

// aLeaf draws a comparison on a product that mixes values that exist with others.
func aLeaf(t *rapid.T) []any {
	return rapid.SampledFrom([][]any{
		{"default_code", "=", "HL-U509-R"},
		{"default_code", "in", []any{"HL-U509-R", "HL-U509-B", "NOPE"}},
		{"default_code", "=", false},
		{"default_code", "in", []any{false, "HL-U509-R"}},
		{"default_code", "=like", "BK-%"},
		{"id", "in", []any{json.Number("30707"), json.Number("1"), "x"}},
		{"id", "=", json.Number("30707")},
		{"id", "=", "30707"},
		{"id", ">", json.Number("30800")},
		{"categ_id", "child_of", json.Number("5001")},
		{"categ_id.name", "ilike", "helmet"},
		{"lst_price", ">=", json.Number("1000")},
		{"sale_ok", "=", false},
		{"active", "!=", true},
		{"product_tmpl_id.product_variant_ids.default_code", "=like", "HL%"},
	}).Draw(t, "leaf")
}

// aDomain draws a well-formed domain in prefix form.
func aDomain(t *rapid.T, depth int) []any {
	if depth == 0 || rapid.Bool().Draw(t, "stop") {
		return []any{aLeaf(t)}
	}
	switch operator := rapid.SampledFrom([]string{"", "&", "|", "!"}).Draw(t, "operator"); operator {
	case "!":
		return append([]any{"!"}, term1(aDomain(t, depth-1))...)
	case "":
		return append(aDomain(t, depth-1), aDomain(t, depth-1)...)
	default:
		return slices.Concat([]any{operator}, term1(aDomain(t, depth-1)), term1(aDomain(t, depth-1)))
	}
}

// term1 joins a domain's terms to one, so that an operator can take it.
func term1(domain []any) []any {
	terms := 0
	for _, element := range domain {
		switch element {
		case "&", "|":
			terms--
		case "!":
		default:
			if _, ok := element.([]any); ok {
				terms++
			}
		}
	}
	joined := make([]any, 0, terms-1+len(domain))
	for range terms - 1 {
		joined = append(joined, "&")
	}
	return append(joined, domain...)
}

func TestAnIndexFindsWhatAScanFinds(t *testing.T) {
	t.Parallel()
	d := newDialect(t)
	indexed := d.models["product.product"]
	scanned := *indexed
	scanned.lookup = nil
	rapid.Check(t, func(t *rapid.T) {
		domain := aDomain(t, 3)
		fast, err := found(d, indexed, domain)
		slow, failed := found(d, &scanned, domain)
		if err != nil || failed != nil || !maps.Equal(fast, slow) {
			t.Fatalf("%v: index finds %d (%v), scan %d (%v)", domain, len(fast), err, len(slow), failed)
		}
		rest, err := found(d, indexed, append([]any{"!"}, term1(domain)...))
		if err != nil || len(rest)+len(fast) != len(indexed.rows()) {
			t.Fatalf("%v: %d and its opposite %d are not all: %v", domain, len(fast), len(rest), err)
		}
	})
}

func TestStockIsFoundByItsProductsCodeAsAScanFindsIt(t *testing.T) {
	t.Parallel()
	d := newDialect(t)
	indexed := d.models["stock.quant"]
	scanned := *indexed
	scanned.lookup = nil
	codes := []any{"NOPE", "", false, json.Number("7")}
	for _, p := range d.world.Products() {
		codes = append(codes, p.SKU)
	}
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOfN(rapid.SampledFrom(codes), 0, 5).Draw(t, "codes")
		domain := []any{[]any{"product_id.default_code", "in", some}, []any{"location_id.usage", "=", "internal"}}
		fast, err := found(d, indexed, domain)
		slow, failed := found(d, &scanned, domain)
		if err != nil || failed != nil || !maps.Equal(fast, slow) {
			t.Fatalf("%v: index finds %d (%v), scan %d (%v)", domain, len(fast), err, len(slow), failed)
		}
	})
}

func TestLike(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, pattern string
		want          bool
	}{
		{"", "", true},
		{"", "%", true},
		{"a", "", false},
		{"", "_", false},
		{"abc", "abc", true},
		{"abc", "ab", false},
		{"abc", "a%c", true},
		{"abbbc", "a%b_", true},
		{"abcabc", "%abc", true},
		{"abcabd", "%abc", false},
		{"aab", "%ab", true},
		{"mississippi", "m%iss%pi", true},
		{"mississippi", "m%iss%pa", false},
		{"日本語", "日_語", true},
		{"日本語", "日__語", false},
		{"50%", `50\%`, true},
		{"50x", `50\%`, false},
		{"a_b", `a\_b`, true},
		{`a\`, `a\`, true},
		{"abc", "%%%", true},
		{"abc", "%_%_%_%", true},
		{"abc", "%_%_%_%_%", false},
	} {
		require.Equal(t, c.want, like(c.text, c.pattern), "%q like %q", c.text, c.pattern)
	}
}
