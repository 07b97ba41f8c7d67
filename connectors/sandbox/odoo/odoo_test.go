package odoo_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bojanz/currency"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/odoo"
	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// erp is an imitated system over a world of its own.
type erp struct {
	t       *testing.T
	world   *world.World
	handler http.Handler
}

func newERP(t *testing.T) *erp {
	t.Helper()
	w, err := world.Load()
	require.NoError(t, err)
	return &erp{t: t, world: w, handler: odoo.New(w, odoo.Options{})}
}

func (e *erp) post(path, body string, headers ...string) *httptest.ResponseRecorder {
	e.t.Helper()
	r := httptest.NewRequestWithContext(e.t.Context(), http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "bearer "+odoo.DefaultAPIKey)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	e.handler.ServeHTTP(rec, r)
	return rec
}

// ask answers the body of a call that succeeds.
func (e *erp) ask(method, body string) string {
	e.t.Helper()
	rec := e.post("/json/2/"+method, body)
	require.Equal(e.t, http.StatusOK, rec.Code, rec.Body.String())
	require.Equal(e.t, "application/json; charset=utf-8", rec.Header().Get("Content-Type"))
	return rec.Body.String()
}

// ids answers what a domain finds, in the model's order.
func (e *erp) ids(model, domain string) []int {
	e.t.Helper()
	var ids []int
	require.NoError(e.t, json.Unmarshal([]byte(e.ask(model+"/search", `{"domain":`+domain+`}`)), &ids))
	return ids
}

func TestValuesLookAsOdooWritesThem(t *testing.T) {
	t.Parallel()
	e := newERP(t)
	assert.JSONEq(t, `[{"id":30707,"default_code":"HL-U509-R","barcode":false,"lst_price":34.99,"categ_id":[5131,"All / Accessories / Helmets"],"sale_ok":true,"qty_available":288.0}]`,
		e.ask("product.product/search_read", `{"domain":[["default_code","=","HL-U509-R"]],"fields":["default_code","barcode","lst_price","categ_id","sale_ok","qty_available"]}`))
	assert.Contains(t, e.ask("product.product/search_read", `{"domain":[["id","=",30707]],"fields":["qty_available","standard_price"]}`), `"standard_price":0.0`,
		"numbers are floats")
	assert.Contains(t, e.ask("sale.order/search_read", `{"domain":[],"fields":["date_order"],"limit":1,"order":"id"}`), `"date_order":"2024-07-0`)
	assert.Contains(t, e.ask("account.move/search_read", `{"domain":[],"fields":["invoice_date"],"limit":1,"order":"id"}`), `"invoice_date":"2024-07-0`)
	assert.JSONEq(t, `[{"id":3,"name":"GBP","rate":0.79}]`, e.ask("res.currency/search_read", `{"domain":[["name","=","GBP"]],"fields":["name","rate"]}`))
}

func TestWithoutFieldsEveryFieldComes(t *testing.T) {
	t.Parallel()
	e := newERP(t)
	for _, model := range []string{
		"product.product", "product.template", "product.category", "product.pricelist", "product.pricelist.item", "res.currency", "res.partner",
		"stock.quant", "stock.location", "sale.order", "sale.order.line", "stock.picking", "account.move",
	} {
		var rows []map[string]any
		require.NoError(t, json.Unmarshal([]byte(e.ask(model+"/search_read", `{"limit":1}`)), &rows))
		require.Len(t, rows, 1, model)
		assert.GreaterOrEqual(t, len(rows[0]), 6, model)
		var n int
		require.NoError(t, json.Unmarshal([]byte(e.ask(model+"/search_count", `{"domain":[]}`)), &n))
		assert.Positive(t, n, model)
		id := strconv.Itoa(e.ids(model, "[]")[0])
		assert.Contains(t, e.ask(model+"/read", `{"ids":[`+id+`],"fields":["display_name"]}`), `"id":`+id, model)
	}
}

func TestDomains(t *testing.T) {
	t.Parallel()
	e := newERP(t)
	for _, c := range []struct {
		model, domain string
		want          []int
	}{
		{"res.currency", `[]`, []int{1, 2, 3}},
		{"res.currency", `[["name","in",["EUR","GBP"]]]`, []int{2, 3}},
		{"res.currency", `[["name","not in",["EUR","GBP"]]]`, []int{1}},
		{"res.currency", `[["name","in",[]]]`, []int{}},
		{"res.currency", `[["name","!=","EUR"]]`, []int{1, 3}},
		{"res.currency", `[["rate",">",0.79]]`, []int{1, 2}},
		{"res.currency", `[["rate",">=",0.79],["rate","<",1]]`, []int{2, 3}},
		{"res.currency", `[["rate","<=",0.790]]`, []int{3}},
		{"res.currency", `["|",["name","=","EUR"],["name","=","GBP"]]`, []int{2, 3}},
		{"res.currency", `["&",["id",">",1],["id","<",3]]`, []int{2}},
		{"res.currency", `["!",["name","=","EUR"]]`, []int{1, 3}},
		{"res.currency", `["!","|",["name","=","EUR"],["name","=","GBP"]]`, []int{1}},
		{"res.currency", `[["id",">",1],"|",["name","=","EUR"],["name","=","USD"]]`, []int{2}},
		{"res.currency", `["|","&",["id","=",1],["name","=","USD"],["id","=",3]]`, []int{1, 3}},
		{"res.currency", `[[1,"=",1]]`, []int{1, 2, 3}},
		{"res.currency", `[[0,"=",1]]`, []int{}},
		{"res.currency", `[["name","like","U"]]`, []int{1, 2}},
		{"res.currency", `[["name","like","u"]]`, []int{}},
		{"res.currency", `[["name","ilike","u"]]`, []int{1, 2}},
		{"res.currency", `[["name","=like","_U_"]]`, []int{2}},
		{"res.currency", `[["name","=like","%D"]]`, []int{1}},
		{"res.currency", `[["name","=ilike","gb%"]]`, []int{3}},
		{"res.currency", `[["name","not ilike","u"]]`, []int{3}},
		{"res.currency", `[["name","like","\\%"]]`, []int{}},
		{"product.category", `[["parent_id","=",false]]`, []int{1}},
		{"product.category", `[["parent_id","=","All"]]`, []int{5004, 5001, 5003, 5002}},
		{"product.category", `[["parent_id.parent_id","=",1],["name","=like","Road B%"]]`, []int{5102}},
		{"product.category", `[["id","child_of",5001]]`, []int{5001, 5101, 5102, 5103}},
		{"product.category", `[["parent_id","child_of",[5001]]]`, []int{5101, 5102, 5103}},
		{"product.category", `[["id","parent_of",5102]]`, []int{1, 5001, 5102}},
		{"product.category", `[["id","child_of",false]]`, []int{}},
		{"stock.location", `[["usage","!=","internal"]]`, []int{9, 14}},
		{"product.product", `[["default_code","in",["HL-U509-R","HL-U509-B"]]]`, []int{30711, 30707}},
		{"product.product", `[["active","=",true],["default_code","=","HL-U509-R"]]`, []int{30707}},
		{"stock.quant", `[["product_id.default_code","=","HL-U509-R"],["location_id.usage","=","internal"]]`, []int{70700, 70701}},
		{"stock.quant", `[["product_id.default_code","in",["HL-U509-R","HL-U509","NOPE"]],["location_id.usage","=","internal"]]`, []int{70700, 70701, 70800}},
		{"stock.quant", `["|",["product_id","in",[30707]],["product_id.default_code","in",["HL-U509"]],["location_id.usage","=","internal"]]`, []int{70700, 70701, 70800}},
		{"stock.quant", `[["product_id.default_code","in",[]]]`, []int{}},
		{"stock.quant", `[["product_id.categ_id.parent_id.name","=","Accessories"],["product_id.default_code","=","HL-U509-R"],["location_id.usage","=","customer"]]`, []int{70702}},
		{"stock.quant", `[["product_id","=","[HL-U509-R] Sport-100 Helmet, Red"],["location_id.usage","=","customer"]]`, []int{70702}},
		{"res.partner", `[["email","=","nobody@example.test"]]`, []int{}},
		{"res.partner", `[["parent_id","=",false],["id","in",[61000,161000]]]`, []int{61000}},
		{"res.partner", `[["id","child_of",61000]]`, []int{61000, 161000}},
		{"product.pricelist.item", `[["pricelist_id","=",2],["percent_price","=",0],["date_end","=",false],["compute_price","=","percentage"]]`, []int{e.lastItem()}},
		{"product.pricelist.item", `[["date_end","<","2013-12-03"],["pricelist_id","=",1]]`, []int{1}},
	} {
		assert.Equal(t, c.want, e.ids(c.model, c.domain), "%s %s", c.model, c.domain)
	}
}

// lastItem is the id of the rule that was written last.
func (e *erp) lastItem() int {
	var n int
	require.NoError(e.t, json.Unmarshal([]byte(e.ask("product.pricelist.item/search_count", `{"domain":[]}`)), &n))
	return n
}

func TestPagingAndOrder(t *testing.T) {
	t.Parallel()
	e := newERP(t)
	assert.JSONEq(t, `[{"id":3},{"id":2}]`, strings.ReplaceAll(e.ask("res.currency/search_read", `{"fields":["id"],"order":"id desc","limit":2}`), ` `, ``))
	assert.JSONEq(t, `[1]`, e.ask("res.currency/search", `{"order":"name DESC","limit":5,"offset":0,"domain":[["name","=","USD"]]}`))
	assert.JSONEq(t, `[1]`, e.ask("res.currency/search", `{"order":"rate","limit":1,"offset":2}`))
	assert.JSONEq(t, `[]`, e.ask("res.currency/search", `{"offset":99,"limit":false}`))
	assert.JSONEq(t, `[1,2,3]`, e.ask("res.currency/search", `{"limit":null,"order":"active, id"}`))
	assert.JSONEq(t, `[1,5004]`, e.ask("product.category/search", `{"limit":2}`), "the model's own order is the full name")
	assert.JSONEq(t, `[1]`, e.ask("product.category/search", `{"order":"parent_id desc, id","limit":1}`), "nothing is largest, as in PostgreSQL")
}

func TestArchivedRecordsHide(t *testing.T) {
	t.Parallel()
	e := newERP(t)
	var sold *world.Product
	for _, p := range e.world.Products() {
		if p.Published {
			sold = p
			break
		}
	}
	domain := `"domain":[["default_code","=","` + sold.SKU + `"]]`
	assert.JSONEq(t, `[`+strconv.Itoa(30_000+sold.ID)+`]`, e.ask("product.product/search", `{`+domain+`}`))
	both := `[` + strconv.Itoa(20_000+sold.ID) + `,` + strconv.Itoa(30_000+sold.ID) + `]`
	assert.JSONEq(t, both, e.ask("product.product/search", `{`+domain+`,"order":"id","context":{"active_test":false}}`))
	assert.JSONEq(t, `[`+strconv.Itoa(20_000+sold.ID)+`]`, e.ask("product.product/search",
		`{"domain":[["default_code","=","`+sold.SKU+`"],["active","=",false]]}`), "whoever asks for archived ones sees them")
	assert.Contains(t, e.ask("product.product/read", `{"ids":[`+strconv.Itoa(20_000+sold.ID)+`],"fields":["active"]}`), `"active":false`)
}

func TestACodeOfAPartWasGivenTwice(t *testing.T) {
	t.Parallel()
	e := newERP(t)
	for _, p := range e.world.Products() {
		if p.Published {
			continue
		}
		assert.Equal(t, []int{30_000 + p.ID, 39_000 + p.ID}, e.ids("product.product", `[["default_code","=","`+p.SKU+`"]]`))
		return
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	e := newERP(t)
	describe := func(lang string) string {
		return e.ask("product.product/search_read", `{"domain":[["default_code","=","HL-U509-R"]],"fields":["description_sale"],"context":{"lang":"`+lang+`"}}`)
	}
	assert.NotEqual(t, describe("en_US"), describe("fr_FR"))
	assert.Equal(t, describe("en_US"), describe("sv_SE"))
	assert.Contains(t, e.ask("product.product/search_read", `{"domain":[["id","=",30707]],"fields":["qty_available"],"context":{"warehouse_id":2}}`), `"qty_available":0.0`)
}

func TestErrors(t *testing.T) {
	t.Parallel()
	e := newERP(t)
	for _, c := range []struct {
		name, path, body string
		headers          []string
		status           int
		exception        string
		message          string
	}{
		{name: "wrong key", path: "/json/2/res.currency/search", headers: []string{"Authorization", "bearer nope"}, status: 401, exception: "werkzeug.exceptions.Unauthorized", message: "Invalid apikey"},
		{name: "no key", path: "/json/2/res.currency/search", headers: []string{"Authorization", ""}, status: 401, exception: "werkzeug.exceptions.Unauthorized"},
		{name: "basic", path: "/json/2/res.currency/search", headers: []string{"Authorization", "Basic " + odoo.DefaultAPIKey}, status: 401, exception: "werkzeug.exceptions.Unauthorized"},
		{name: "unknown model", path: "/json/2/res.nothing/search", status: 404, exception: "werkzeug.exceptions.NotFound", message: "the model 'res.nothing' does not exist"},
		{name: "unknown method", path: "/json/2/res.currency/destroy", status: 404, exception: "werkzeug.exceptions.NotFound", message: "The method 'res.currency.destroy' does not exist"},
		{name: "private method", path: "/json/2/res.currency/_search", status: 403, exception: "odoo.exceptions.AccessError"},
		{name: "wrong argument", path: "/json/2/res.currency/search", body: `{"domains":[]}`, status: 422, exception: "werkzeug.exceptions.UnprocessableEntity", message: "got an unexpected keyword argument 'domains'"},
		{name: "ids on the model", path: "/json/2/res.currency/search_read", body: `{"ids":[1]}`, status: 422, exception: "werkzeug.exceptions.UnprocessableEntity", message: "cannot call res.currency.search_read with ids"},
		{name: "positional arguments", path: "/json/2/res.currency/search", body: `[[]]`, status: 400, exception: "werkzeug.exceptions.BadRequest"},
		{name: "not JSON", path: "/json/2/res.currency/search", body: `{`, status: 400, exception: "werkzeug.exceptions.BadRequest"},
		{name: "not labelled", path: "/json/2/res.currency/search", headers: []string{"Content-Type", "text/plain"}, status: 415, exception: "werkzeug.exceptions.UnsupportedMediaType"},
		{name: "unknown field to read", path: "/json/2/res.currency/search_read", body: `{"fields":["nope"]}`, status: 500, exception: "builtins.ValueError", message: "Invalid field 'nope' on model 'res.currency'"},
		{name: "unknown field in a domain", path: "/json/2/res.currency/search", body: `{"domain":[["nope","=",1]]}`, status: 500, exception: "builtins.ValueError"},
		{name: "a path through a text", path: "/json/2/res.currency/search", body: `{"domain":[["name.id","=",1]]}`, status: 500, exception: "builtins.ValueError"},
		{name: "unknown order", path: "/json/2/res.currency/search", body: `{"order":"nope"}`, status: 500, exception: "builtins.ValueError"},
		{name: "injected order", path: "/json/2/res.currency/search", body: `{"order":"id; drop"}`, status: 500, exception: "builtins.ValueError"},
		{name: "malformed domain", path: "/json/2/res.currency/search", body: `{"domain":["&",["id","=",1]]}`, status: 500, exception: "builtins.ValueError"},
		{name: "unknown operator", path: "/json/2/res.currency/search", body: `{"domain":[["id","~",1]]}`, status: 500, exception: "builtins.ValueError"},
		{name: "child_of without a tree", path: "/json/2/res.currency/search", body: `{"domain":[["id","child_of",1]]}`, status: 500, exception: "builtins.ValueError"},
		{name: "in without a list", path: "/json/2/res.currency/search", body: `{"domain":[["id","in",1]]}`, status: 500, exception: "builtins.ValueError"},
		{name: "a negative limit", path: "/json/2/res.currency/search", body: `{"limit":-1}`, status: 500, exception: "psycopg2.errors.InvalidRowCountInLimitClause"},
		{name: "a record that is gone", path: "/json/2/res.currency/read", body: `{"ids":[77]}`, status: 404, exception: "odoo.exceptions.MissingError"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			one := &erp{t: t, world: e.world, handler: e.handler}
			rec := one.post(c.path, c.body, c.headers...)
			require.Equal(t, c.status, rec.Code, rec.Body.String())
			var fault struct {
				Name, Message, Debug string
				Arguments            []any
				Context              map[string]any
			}
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &fault))
			assert.Equal(t, c.exception, fault.Name)
			assert.Contains(t, fault.Message, c.message)
			assert.True(t, strings.HasPrefix(fault.Debug, "Traceback (most recent call last):"))
			assert.NotEmpty(t, fault.Arguments)
			assert.NotNil(t, fault.Context)
		})
	}
}

func TestWhereNoRouteIsTheAnswerIsHTML(t *testing.T) {
	t.Parallel()
	e := newERP(t)
	for _, rec := range []*httptest.ResponseRecorder{
		e.post("/jsonrpc", `{}`),
		e.post("/json/2/res.currency", `{}`),
		e.post("/json/2/res.currency/search", `{}`, "X-Odoo-Database", "other"),
	} {
		assert.Equal(t, http.StatusNotFound, rec.Code)
		assert.Equal(t, "text/html; charset=utf-8", rec.Header().Get("Content-Type"))
	}
	assert.Equal(t, http.StatusOK, e.post("/json/2/res.currency/search", ``, "X-Odoo-Database", odoo.DefaultDatabase).Code)
	get := httptest.NewRecorder()
	e.handler.ServeHTTP(get, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/json/2/res.currency/search", nil))
	assert.Equal(t, http.StatusMethodNotAllowed, get.Code)
}

func TestOperationsAreNamed(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/odoo/json/2/product.product/search_read": "product.product.search_read",
		"/json/2/sale.order/read":                  "sale.order.read",
		"/web/login":                               "unknown",
		"/json/2/sale.order":                       "unknown",
	} {
		assert.Equal(t, want, odoo.Operation(httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, nil), nil))
	}
}

func usd(t *testing.T, text string) currency.Amount {
	t.Helper()
	a, err := currency.NewAmount(text, "USD")
	require.NoError(t, err)
	return a
}

func TestGuestsShareAPartnerPerAddress(t *testing.T) {
	t.Parallel()
	e := newERP(t)
	now := time.Now()
	e.world.SetClock(func() time.Time { return now })
	p := e.world.BySKU("HL-U509-R")
	before := e.ids("sale.order", `[["partner_id","ilike","guest"]]`)
	assert.Empty(t, before)
	buy := func(email string) string {
		o, err := e.world.PlaceOrder(world.Order{
			Email: email, Group: world.Retail, Currency: "USD", Lines: []world.OrderLine{{ProductID: p.ID, SKU: p.SKU, Name: p.Name, Qty: 3, Unit: usd(t, "34.99")}},
			Subtotal: usd(t, "104.97"), Shipping: usd(t, "5.00"), Tax: usd(t, "8.40"), Discount: usd(t, "10.00"), Total: usd(t, "108.37"), ShippingTitle: "Ground", Coupon: "TEN",
		})
		require.NoError(t, err)
		return o.Number
	}
	first, second, third := buy("a@example.test"), buy("b@example.test"), buy("a@example.test")
	assert.Empty(t, e.ids("sale.order", `[["client_order_ref","=","`+first+`"]]`), "not synced yet")
	assert.Contains(t, e.ask("stock.quant/search_read", `{"domain":[["product_id","=",30707]],"fields":["reserved_quantity"]}`), `"reserved_quantity":9.0`,
		"but reserved at once")
	e.world.SetClock(func() time.Time { return now.Add(e.world.SyncDelay()) })

	partner := func(number string) string {
		return e.ask("sale.order/search_read", `{"domain":[["client_order_ref","=","`+number+`"]],"fields":["partner_id"]}`)
	}
	assert.Contains(t, partner(first), `[300000,"Guest"]`)
	assert.Contains(t, partner(second), `[300001,"Guest"]`)
	assert.Contains(t, partner(third), `[300000,"Guest"]`)
	assert.Len(t, e.ids("sale.order", `[["partner_id.email","=","a@example.test"]]`), 2)
	assert.JSONEq(t, `[{"id":300001,"email":"b@example.test","type":"contact"}]`, e.ask("res.partner/search_read", `{"domain":[["email","=","b@example.test"]],"fields":["email","type"]}`))

	lines := e.ask("sale.order.line/search_read",
		`{"domain":[["order_id.client_order_ref","=","`+first+`"]],"fields":["name","product_uom_qty","price_unit","price_subtotal","price_tax","is_delivery","is_reward_line"]}`)
	var rows []map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines), &rows))
	require.Len(t, rows, 3)
	assert.Contains(t, lines, `"price_subtotal":104.97`)
	assert.Contains(t, lines, `"price_unit":-10.0`)
	assert.Contains(t, lines, `"name":"Discount TEN"`)
	assert.Contains(t, e.ask("sale.order/search_read", `{"domain":[["client_order_ref","=","`+first+`"]],"fields":["amount_untaxed","amount_tax","amount_total","state"]}`),
		`"amount_untaxed":99.97`)

	e.world.Reset()
	assert.Empty(t, e.ids("sale.order", `[["client_order_ref","=","`+first+`"]]`))
	assert.Empty(t, e.ids("res.partner", `[["name","=","Guest"]]`))
}
