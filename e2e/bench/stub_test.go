package main

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"
)

func smallRecording() *recording {
	return &recording{
		SKUs: []string{"A-1", "B-2"}, Listed: 2,
		Nodes: map[string]map[string]json.RawMessage{"products": {
			"A-1": json.RawMessage(`{"sku":"A-1","name":"say \"A-1\"","variants":[{"sku":"B-2"}]}`),
			"B-2": json.RawMessage(`{"sku":"B-2","name":"two"}`),
		}},
		Priced: map[string]json.RawMessage{"A-1": json.RawMessage(`{"default_code":"A-1","id":30001,"lst_price":1.50}`)},
		Plain:  map[string]json.RawMessage{"A-1": json.RawMessage(`{"default_code":"A-1","id":30001}`)},
		Quants: map[int64][]json.RawMessage{30001: {json.RawMessage(`{"id":7,"product_id":[30001,"A"],"quantity":3}`), json.RawMessage(`{"id":8,"product_id":[30001,"A"],"quantity":4}`)}},
		Search: json.RawMessage(`{"hits":[{"_source":{"sku":"A-1"}},{"_source":{"sku":"B-2"}}]}`),
		Exact:  map[string]json.RawMessage{exactKey("/odoo/json/2/res.currency/search_read", []byte(`{}`)): json.RawMessage(`[1]`)},
	}
}

func TestTheStubAnswersWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	s := newStub(smallRecording())
	const records = "/odoo/json/2/product.product/search_read"
	for name, c := range map[string]struct{ path, body, want string }{
		"nodes of varieties":   {"/pimcore/x", `{"operationName":"products","variables":{"filter":"{\"$or\":[{\"sku\":\"B-2\"},{\"sku\":\"A-1.12\"},{\"sku\":\"C-3\"}]}"}}`, `{"data":{"getProductListing":{"edges":[{"node":{"sku":"B-2","name":"two"}},{"node":{"sku":"A-1.12","name":"say \"A-1\"","variants":[{"sku":"B-2.12"}]}}]}}}`},
		"records with a price": {records, `{"domain":[["default_code","in",["A-1.3"]]],"fields":["lst_price"]}`, `[{"default_code":"A-1.3","id":3001,"lst_price":1.50}]`},
		"records":              {records, `{"domain":[["default_code","in",["C-3","A-1"]]],"fields":["name"]}`, `[{"default_code":"A-1","id":1}]`},
		"stock":                {"/odoo/json/2/stock.quant/search_read", `{"domain":[["product_id","in",[2,3001]]]}`, `[{"id":7,"product_id":[3001,"A"],"quantity":3},{"id":8,"product_id":[3001,"A"],"quantity":4}]`},
		"stock by SKU":         {"/odoo/json/2/stock.quant/search_read", `{"domain":[["product_id.default_code","in",["NO-1","A-1.3"]]]}`, `[{"id":7,"product_id":[3001,"A"],"quantity":3},{"id":8,"product_id":[3001,"A"],"quantity":4}]`},
		"stock by both":        {"/odoo/json/2/stock.quant/search_read", `{"domain":["|",["product_id","in",[3001]],["product_id.default_code","in",["NO-1","A-1"]]]}`, `[{"id":7,"product_id":[3001,"A"],"quantity":3},{"id":8,"product_id":[3001,"A"],"quantity":4},{"id":7,"product_id":[1,"A"],"quantity":3},{"id":8,"product_id":[1,"A"],"quantity":4}]`},
		"stock by both, none":  {"/odoo/json/2/stock.quant/search_read", `{"domain":["|",["product_id","in",[2]],["product_id.default_code","in",["A-1"]]]}`, `[{"id":7,"product_id":[1,"A"],"quantity":3},{"id":8,"product_id":[1,"A"],"quantity":4}]`},
		"a page":               {"/elasticsearch/products/_search", `{"range":{"price":{"gte":0.0042}}}`, `{"hits":[{"_source":{"sku":"A-1.42"}},{"_source":{"sku":"B-2.42"}}]}`},
		"as recorded":          {"/odoo/json/2/res.currency/search_read", `{}`, `[1]`},
	} {
		got, ok := s.answer(nil, c.path, []byte(c.body))
		assert.True(t, ok, name)
		assert.JSONEq(t, c.want, string(got), name)
	}
	_, ok := s.answer(nil, "/magento/V1/carts/mine", []byte(`{}`))
	assert.False(t, ok, "what was not recorded is not made up")
}

func TestPagesAndVarietiesAreToldApartBySKUAndPrice(t *testing.T) {
	t.Parallel()
	for _, v := range []variety{1, 9, 10_000, 123_456} {
		base, back := varietyOf([]byte(v.suffixed("A-1")))
		assert.Equal(t, "A-1", string(base))
		assert.Equal(t, v, back)
		page, ok := pageOf(priceOfPage(v))
		require.True(t, ok)
		assert.Equal(t, v, page)
	}
	assert.Equal(t, "A-1", variety(0).suffixed("A-1"))
}

func TestDifferencesOfAnswersAreFound(t *testing.T) {
	t.Parallel()
	parse := func(text string) (v any) {
		require.NoError(t, json.Unmarshal([]byte(text), &v))
		return v
	}
	same := parse(`{"a":[{"b":"1"}],"endCursor":"x"}`)
	assert.Empty(t, differ("", same, parse(`{"a":[{"b":"1"}]}`)))
	for _, other := range []string{`{"a":[{"b":"2"}]}`, `{"a":[]}`, `{"a":[{"b":"1"}],"c":null}`, `{}`, `[]`} {
		assert.NotEmpty(t, differ("", same, parse(other)), other)
	}
}

func TestRulesInForceForOnePiece(t *testing.T) {
	t.Parallel()
	rule := func(least, start, end string) erpRule {
		return erpRule{AppliedOn: "3_global", Compute: "percentage", Min: json.Number(least), Percent: "10", Start: json.RawMessage(start), End: json.RawMessage(end)}
	}
	always := rule("1", "false", "false")
	got := inForce(slices.Clone([]erpRule{rule("2", "false", "false"), rule("0", `"2999-01-01 00:00:00"`, "false"), rule("0", "false", `"2001-01-01 00:00:00"`), always}))
	assert.Equal(t, []erpRule{always}, got)
	price, err := priced(erpRecord{Price: "19.99"}, got)
	require.NoError(t, err)
	assert.Equal(t, "17.99", price)
	assert.Equal(t, "$1,234,567.80", dollars("1234567.80"))
}

// What a page asks for is told, from when the weather was set on.
func TestTheStubTellsWhatItWasAsked(t *testing.T) {
	t.Parallel()
	s := newStub(smallRecording())
	send := func(path, body string) string {
		var ctx fasthttp.RequestCtx
		ctx.Request.SetRequestURI(path)
		ctx.Request.SetBodyString(body)
		s.handle(&ctx)
		return string(ctx.Response.Body())
	}
	const currency = "/odoo/json/2/res.currency/search_read"
	send(currency, `{}`)
	assert.JSONEq(t, `{"odoo":1}`, send("/_stub/weather", `{}`))
	for range 2 * mostAsked {
		send(currency, `{}`)
	}
	var asked []called
	require.NoError(t, json.Unmarshal([]byte(send("/_stub/asked", "")), &asked))
	require.Len(t, asked, mostAsked)
	assert.Equal(t, currency, asked[0].Path)
	assert.Equal(t, `{}`, asked[0].Body)
	assert.GreaterOrEqual(t, asked[1].At, asked[0].At)
}
