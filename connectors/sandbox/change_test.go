package sandbox_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bojanz/currency"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/sandbox/world"
)

const (
	bike         = "BK-R93R-62"
	eventsSecret = "a secret of the sandbox's events"
)

func TestTheWorldIsChangedByControl(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	change := func(body string) answered {
		return send(t.Context(), t, http.MethodPost, box.URL+"/_sandbox/world", body)
	}
	got := change(`{"sku":"BK-R93R-62","price":"1199.50","stock":5,"name":"A bike"}`)
	assert.Equal(t, http.StatusOK, got.status)
	assert.JSONEq(t, `{"sku":"BK-R93R-62","name":"A bike","price":"1199.50","stock":5,"state":"published"}`, got.body)
	assert.Contains(t, change(`{"sku":"BK-R93R-62","price":12.3}`).body, `"price":"12.30"`, "a number will do")
	pim := send(t.Context(), t, http.MethodPost, box.URL+shop,
		`{"query":"{ getProductListing(first: 1, filter: \"{\\\"sku\\\":\\\"BK-R93R-62\\\"}\") { edges { node { name } } } }"}`)
	assert.Contains(t, pim.body, `"A bike"`)

	assert.JSONEq(t, `{"group":"wholesale","percentOff":30}`, change(`{"group":"wholesale","percentOff":30}`).body)
	assert.Equal(t, world.Break{MinQty: 41, PercentOff: 30}, box.Server.World.Breaks(world.Wholesale)[4])
	assert.Equal(t, world.Break{MinQty: 61, PercentOff: 35}, box.Server.World.Breaks(world.Wholesale)[5])
	require.Equal(t, http.StatusNoContent, send(t.Context(), t, http.MethodPost, box.URL+"/_sandbox/reset", "").status)
	assert.Equal(t, 15, box.Server.World.Breaks(world.Wholesale)[0].PercentOff)

	for body, field := range map[string]string{
		`{}`:                                                       "",
		`{"sku":"BK-R93R-62"}`:                                     "",
		`{"sku":"NO-SUCH","stock":1}`:                              "sku",
		`{"sku":"BK-R93R-62","stock":-1}`:                          "stock",
		`{"sku":"BK-R93R-62","stock":1.5}`:                         "stock",
		`{"sku":"BK-R93R-62","stock":1000001}`:                     "stock",
		`{"sku":"BK-R93R-62","price":"-1"}`:                        "price",
		`{"sku":"BK-R93R-62","price":"1e3"}`:                       "price",
		`{"sku":"BK-R93R-62","price":"1.234"}`:                     "price",
		`{"sku":"BK-R93R-62","price":{"a":1}}`:                     "price",
		`{"sku":"BK-R93R-62","name":" "}`:                          "name",
		`{"sku":"BK-R93R-62","nam":"x"}`:                           "nam",
		`{"sku":"BK-R93R-62","stock":1}{}`:                         "",
		`{"group":"wholesale"}`:                                    "percentOff",
		`{"group":"wholesale","percentOff":100}`:                   "percentOff",
		`{"group":"retail","percentOff":10}`:                       "group",
		`{"percentOff":10}`:                                        "",
		`{"sku":"BK-R93R-62","state":"gone"}`:                      "state",
		`{"sku":"AR-5381","state":"published"}`:                    "sku",
		`{"sku":"BK-R93R-62","title":"x"}`:                         "title",
		`{"page":"home"}`:                                          "",
		`{"page":"home","sku":"BK-R93R-62","state":"published"}`:   "page",
		`{"page":"home","state":"gone"}`:                           "state",
		`{"page":"home","title":""}`:                               "title",
		`{"page":"home","body":" "}`:                               "body",
		`{"page":"home","language":"de","title":"x"}`:              "language",
		`{"page":"imprint","title":"x"}`:                           "page",
		`{"category":"101"}`:                                       "name",
		`{"category":"101","name":" "}`:                            "name",
		`{"category":"9","name":"x"}`:                              "category",
		`{"category":"x","name":"x"}`:                              "category",
		`{"category":"101","name":"x","stock":1}`:                  "stock",
		`{"sku":"BK-R93R-62","group":"wholesale","percentOff":10}`: "group",
	} {
		got := change(body)
		assert.Equal(t, http.StatusBadRequest, got.status, body)
		var said struct{ Field string }
		require.NoError(t, json.Unmarshal([]byte(got.body), &said))
		assert.Equal(t, field, said.Field, body)
	}
}

// Whatever editors do in the PIM is seen through it at once, and put back by a reset.
func TestThePIMIsEditedByControl(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	change := func(body string) string {
		got := send(t.Context(), t, http.MethodPost, box.URL+"/_sandbox/world", body)
		require.Equal(t, http.StatusOK, got.status, body)
		return got.body
	}
	pim := func(query string) string {
		body, err := json.Marshal(map[string]string{"query": query})
		require.NoError(t, err)
		return send(t.Context(), t, http.MethodPost, box.URL+shop, string(body)).body
	}
	products := func() string {
		return pim(`{ getProductListing(filter: "{\"sku\":\"BK-R93R-62\"}", first: 9) { edges { node { sku } } } }`)
	}
	hidden := func() string {
		return pim(`{ getProductListing(filter: "{\"sku\":\"BK-R93R-62\"}", first: 9, published: false) { edges { node { sku } } } }`)
	}
	siblings := func() string {
		return pim(`{ getProductListing(filter: "{\"sku\":\"BK-R93R-44\"}", first: 9) { edges { node { variants { ... on object_Product { sku } } } } } }`)
	}
	page := func() string {
		return pim(`{ getContentPageListing(filter: "{\"key\":\"home\"}", first: 9) { edges { node { title body(language: "fr") } } } }`)
	}
	const bikes = `{"node":{"sku":"BK-R93R-62"}}`
	require.Contains(t, products(), bikes)
	require.Contains(t, siblings(), bike)
	assert.Contains(t, change(`{"sku":"BK-R93R-62","state":"unpublished"}`), `"state":"unpublished"`)
	assert.NotContains(t, products(), bikes)
	assert.Contains(t, hidden(), bikes, "who asks for what is not published sees it")
	assert.NotContains(t, siblings(), bike)
	assert.Contains(t, change(`{"sku":"BK-R93R-62","state":"deleted"}`), `"state":"deleted"`)
	assert.NotContains(t, hidden(), bikes)
	got := send(t.Context(), t, http.MethodPost, box.URL+"/_sandbox/world", `{"sku":"BK-R93R-62","name":"x"}`)
	assert.Equal(t, http.StatusBadRequest, got.status, "what is deleted cannot be renamed")
	assert.Contains(t, change(`{"sku":"BK-R93R-62","state":"published"}`), `"state":"published"`)
	assert.Contains(t, products(), bikes)
	assert.Contains(t, siblings(), bike)

	assert.JSONEq(t, `{"page":"home","title":"Go","body":"On","state":"published"}`, change(`{"page":"home","title":"Go","body":"On"}`))
	change(`{"page":"home","language":"fr","body":"Allez"}`)
	assert.Contains(t, page(), `{"title":"Go","body":"Allez"}`)
	change(`{"page":"home","state":"unpublished"}`)
	assert.NotContains(t, page(), "Go")
	change(`{"page":"home","state":"deleted"}`)
	change(`{"page":"home","state":"published"}`)
	assert.Contains(t, page(), "Go")

	assert.JSONEq(t, `{"category":"101","name":"Climbers"}`, change(`{"category":"101","name":"Climbers"}`))
	categories := `{ getCategoryListing(first: 99) { edges { node { id name } } } }`
	assert.Contains(t, pim(categories), `{"id":"101","name":"Climbers"}`)
	change(`{"sku":"BK-R93R-62","state":"deleted"}`)
	require.Equal(t, http.StatusNoContent, send(t.Context(), t, http.MethodPost, box.URL+"/_sandbox/reset", "").status)
	assert.Contains(t, products(), bikes)
	assert.Contains(t, page(), "Ride further")
	assert.NotContains(t, pim(categories), "Climbers")
}

// told is an event as it arrived.
type told struct {
	ID, Source, Type, SpecVersion string
	Data                          json.RawMessage
}

// listener checks signatures, and refuses the first event once.
func listener(t *testing.T) (url string, events <-chan told) {
	t.Helper()
	heard := make(chan told, 100)
	var refused atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !refused.Swap(true) {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		mac := hmac.New(sha256.New, []byte(eventsSecret))
		_, _ = mac.Write([]byte(r.Header.Get("webhook-id") + "." + r.Header.Get("webhook-timestamp") + "." + string(body)))
		assert.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), r.Header.Get("webhook-signature"))
		assert.Equal(t, "application/cloudevents+json", r.Header.Get("Content-Type"))
		var event told
		assert.NoError(t, json.Unmarshal(body, &event))
		assert.Equal(t, r.Header.Get("webhook-id"), event.ID)
		assert.Equal(t, "1.0", event.SpecVersion)
		heard <- event
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	return server.URL, heard
}

func next(t *testing.T, events <-chan told) told {
	t.Helper()
	select {
	case event := <-events:
		return event
	case <-time.After(30 * time.Second):
		require.Fail(t, "no event came")
		return told{}
	}
}

func TestEverySystemTellsOfAChangeInItsOwnWords(t *testing.T) {
	t.Parallel()
	url, events := listener(t)
	server, err := sandbox.New(sandbox.Config{EventsURL: []string{url}, EventsSecret: eventsSecret})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	p := server.World.BySKU(bike)

	cheaper, err := currency.NewAmount("999.00", "USD")
	require.NoError(t, err)
	require.True(t, server.World.Change(bike, world.Change{Name: "A bike", Price: &cheaper}))
	for _, want := range []struct{ source, kind, data string }{
		{"pim", "pimcore.dataobject.postUpdate", `"className":"Product"`},
		{"search", "elasticsearch.index.updated", `"ids":["BK-R93R-62"]`},
		{"erp", "odoo.webhook", `"_model":"product.template"`},
		{"checkout", "com.adobe.commerce.observer.catalog_product_save_commit_after", `"name":"A bike"`},
	} {
		event := next(t, events)
		assert.Equal(t, want.source, event.Source)
		assert.Equal(t, want.kind, event.Type)
		assert.Contains(t, string(event.Data), want.data)
		assert.Contains(t, string(event.Data), bike)
	}

	// What one system knows alone it tells alone.
	require.True(t, server.World.Change(bike, world.Change{Name: "The bike"}))
	assert.Equal(t, "pim", next(t, events).Source)
	assert.Equal(t, "search", next(t, events).Source)
	require.True(t, server.World.Discount(world.Wholesale, 16))
	for range server.World.Currencies() {
		assert.Contains(t, string(next(t, events).Data), `"_model":"product.pricelist.item"`)
	}

	stock := 3
	require.True(t, server.World.Change(bike, world.Change{Stock: &stock}))
	assert.Equal(t, "search", next(t, events).Source)
	assert.Contains(t, string(next(t, events).Data), `"_model":"stock.quant"`)
	assert.Contains(t, string(next(t, events).Data), `"qty":3`)

	_, err = server.World.PlaceOrder(world.Order{Email: "somebody@example.com", Lines: []world.OrderLine{{ProductID: p.ID, SKU: bike, Qty: 1}}})
	require.NoError(t, err)
	assert.Contains(t, string(next(t, events).Data), `"x_sku":"BK-R93R-62"`)
	order := next(t, events)
	assert.Equal(t, "com.adobe.commerce.observer.sales_order_place_after", order.Type)
	assert.Contains(t, string(order.Data), `"items":[{"sku":"BK-R93R-62","qty_ordered":1}]`)
	assert.NotContains(t, string(order.Data), "example.com")
	server.Close()
	assert.Empty(t, events)
}

// The PIM's listener is told of every object, in Pimcore's kinds of events.
func TestThePIMTellsOfAllThatIsSaved(t *testing.T) {
	t.Parallel()
	url, events := listener(t)
	server, err := sandbox.New(sandbox.Config{EventsURL: []string{url}, EventsSecret: eventsSecret})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	published, unpublished, deleted := world.Published, world.Unpublished, world.Deleted
	product := func(state *world.State) func() bool {
		return func() bool { return server.World.Change(bike, world.Change{State: state}) }
	}
	page := func(c world.PageChange) func() bool {
		return func() bool { return server.World.ChangePage("home", c) }
	}
	const (
		aProduct, indexed    = `"className":"Product","key":"BK-R93R-62","fullPath":"/Products/BK-R93R-62","published":`, `"ids":["BK-R93R-62"]`
		aPage                = `"id":901,"className":"ContentPage","key":"home","fullPath":"/Pages/home","published":`
		added, saved, ending = "postAdd", "postUpdate", "postDelete"
	)
	for name, step := range []struct {
		change      func() bool
		kind, data  string
		searchFinds string // empty when the index does not hold it
	}{
		{product(&unpublished), saved, aProduct + "false", indexed},
		{product(&deleted), ending, aProduct + "false", indexed},
		{product(&published), added, aProduct + "true", indexed},
		{page(world.PageChange{Language: "fr", Body: "Allez"}), saved, aPage + "true", ""},
		{page(world.PageChange{State: &unpublished}), saved, aPage + "false", ""},
		{page(world.PageChange{State: &published}), saved, aPage + "true", ""},
		{page(world.PageChange{State: &deleted}), ending, aPage + "false", ""},
		{page(world.PageChange{Language: "en", Title: "Again", State: &published}), added, aPage + "true", ""},
		{func() bool { return server.World.NameCategory(101, "Climbers") }, saved, `"className":"Category","key":"mountain-bikes","fullPath":"/Categories/bikes/mountain-bikes"`, `"BK-M82S-38"`},
		{func() bool { return server.World.NameCategory(1, "Cycles") }, saved, `"className":"Category","key":"bikes","fullPath":"/Categories/bikes"`, `"BK-R93R-62"`},
	} {
		require.True(t, step.change(), name)
		event := next(t, events)
		assert.Equal(t, "pim", event.Source)
		assert.Equal(t, "pimcore.dataobject."+step.kind, event.Type, name)
		assert.Contains(t, string(event.Data), step.data, name)
		assert.Equal(t, strings.Contains(step.data, "Product"), strings.Contains(string(event.Data), `"variants":["`), "siblings show its name")
		if step.searchFinds != "" {
			event = next(t, events)
			assert.Equal(t, "search", event.Source)
			assert.Contains(t, string(event.Data), step.searchFinds)
		}
	}
	assert.False(t, server.World.ChangePage("imprint", world.PageChange{State: &published}))
	assert.False(t, server.World.NameCategory(99, "x"))
	assert.False(t, server.World.NameCategory(1, " "))
	require.True(t, server.World.NameCategory(1, "Cycles"), "as it is")
	server.Close()
	assert.Empty(t, events, "nothing happened")
}

func TestEventsThatNobodyTakesHoldNothingUp(t *testing.T) {
	t.Parallel()
	server, err := sandbox.New(sandbox.Config{EventsURL: []string{"http://127.0.0.1:1/events"}, EventsSecret: eventsSecret})
	require.NoError(t, err)
	for range 5 {
		require.True(t, server.World.Change(bike, world.Change{Name: "A bike"}))
		server.Reset()
	}
	server.Close()
	_, err = sandbox.New(sandbox.Config{EventsURL: []string{"http://127.0.0.1:1/events"}, EventsSecret: "whsec_no base64"})
	require.Error(t, err)
}
