package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/schema/commerce"
)

// recording is what the imitated systems answered to our own connectors, taken apart by
// product, so that an answer for any products can be put together again.
type recording struct {
	// SKUs are the products that were recorded; those before Listed are a page of a list.
	SKUs   []string
	Listed int
	// Exact is whole answers by [exactKey].
	Exact map[string]json.RawMessage
	// Nodes is Data Hub's nodes: operation → SKU → node.
	Nodes map[string]map[string]json.RawMessage
	// Records is Odoo's products by SKU, as they are asked for their price and for their id.
	Priced, Plain map[string]json.RawMessage
	// Quants is Odoo's stock by the product's id there.
	Quants map[int64][]json.RawMessage
	// Search is a page of a list, one hit more than the page.
	Search json.RawMessage
	// Asks is what was sent, for the baseline to send the same.
	Asks bodies
	// JWKS verifies Token, a customer's.
	JWKS  json.RawMessage
	Token string
}

const (
	category     = "2" // the page that is measured is of this category, which has more products than a page
	pageSize     = 100
	nothing      = "zzzzzz" // what is searched for in vain
	customer     = "AW00011000"
	recordedPage = "0.0001"
)

// bodies is what our connectors send.
type bodies struct {
	List, Nothing, Categories json.RawMessage
	Queries                   map[string]string // of Data Hub, by operation
}

// page is the search for the page that a least price asks for.
func (b bodies) page(least string) json.RawMessage {
	return bytes.Replace(b.List, []byte(`"gte":`+recordedPage), []byte(`"gte":`+least), 1)
}

// recorded reads a recording from a file.
func recorded(file string) (*recording, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r recording
	return &r, json.Unmarshal(raw, &r)
}

// exchange is a call that was overheard.
type exchange struct {
	path   string
	body   []byte
	answer []byte
}

// tape hears what is asked of the systems behind next.
type tape struct {
	next http.Handler
	mu   sync.Mutex
	list []exchange
}

func (t *tape) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	heard := httptest.NewRecorder()
	t.next.ServeHTTP(heard, r)
	t.mu.Lock()
	t.list = append(t.list, exchange{r.URL.RequestURI(), body, bytes.TrimSpace(heard.Body.Bytes())})
	t.mu.Unlock()
	for name, values := range heard.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(heard.Code)
	_, _ = w.Write(heard.Body.Bytes())
}

// record has our connectors ask the imitated systems for what the measurements ask for.
func record(ctx context.Context) (*recording, error) {
	imitated, err := sandbox.New(sandbox.Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer imitated.Close()
	heard := &tape{next: imitated.Handler()}
	server := httptest.NewServer(heard)
	defer server.Close()
	environ := append(sandbox.Environ(server.URL), "PORTICO_MODE=development", "LOG_LEVEL=error", "CACHE_ANSWER_BYTES=0")
	cfg, err := edge.Load(environ)
	if err != nil {
		return nil, err
	}
	backend, err := edge.New(ctx, cfg, "web")
	if err != nil {
		return nil, err
	}
	defer func() { _ = backend.Close(context.WithoutCancel(ctx)) }()
	r := &recording{
		Exact: map[string]json.RawMessage{}, Nodes: map[string]map[string]json.RawMessage{},
		Priced: map[string]json.RawMessage{}, Plain: map[string]json.RawMessage{}, Quants: map[int64][]json.RawMessage{},
		Asks: bodies{Queries: map[string]string{}},
	}
	if err := r.ask(ctx, backend); err != nil {
		return nil, err
	}
	for _, e := range heard.list {
		if err := r.keep(e); err != nil {
			return nil, fmt.Errorf("%s: %w", e.path, err)
		}
	}
	return r, r.credentials(server.URL, imitated)
}

// ask makes every kind of call once.
func (r *recording) ask(ctx context.Context, b *edge.Backend) error {
	m, err := b.Markets.Resolve(market.Hints{})
	if err != nil {
		return err
	}
	list := commerce.SearchQuery{First: pageSize, Filter: commerce.SearchFilter{Category: category, PriceMin: recordedPage}}
	found, err := b.Ports.Search.Search(ctx, m, list)
	if err != nil {
		return err
	}
	if len(found.SKUs) != pageSize {
		return fmt.Errorf("category %s lists %d products, not %d", category, len(found.SKUs), pageSize)
	}
	r.Listed = len(found.SKUs)
	for _, sku := range found.SKUs {
		r.SKUs = append(r.SKUs, string(sku))
	}
	if err := r.askRelated(ctx, b, m, found.SKUs); err != nil {
		return err
	}
	_, nothingErr := b.Ports.Search.Search(ctx, m, commerce.SearchQuery{Text: nothing, First: 1})
	_, treeErr := b.Ports.Categories.Tree(ctx, m)
	return errors.Join(nothingErr, treeErr)
}

// askRelated asks for products, and for those that go with them.
func (r *recording) askRelated(ctx context.Context, b *edge.Backend, m commerce.Market, skus []commerce.SKU) error {
	related, err := b.Ports.Related.Related(ctx, m, skus)
	if err != nil {
		return err
	}
	for _, sku := range skus {
		for _, other := range related[sku] {
			if !slices.Contains(r.SKUs, string(other.SKU)) {
				r.SKUs = append(r.SKUs, string(other.SKU))
			}
		}
	}
	all := make([]commerce.SKU, len(r.SKUs))
	keys := make([]commerce.PriceKey, len(r.SKUs))
	for i, sku := range r.SKUs {
		all[i], keys[i] = commerce.SKU(sku), commerce.PriceKey{SKU: commerce.SKU(sku), Quantity: 1}
	}
	for i := 0; i < len(all); i += pageSize {
		end := min(i+pageSize, len(all))
		_, productsErr := b.Ports.Catalog.Products(ctx, m, all[i:end])
		_, reviewsErr := b.Ports.Reviews.Reviews(ctx, m, all[i:end])
		_, relatedErr := b.Ports.Related.Related(ctx, m, all[i:end])
		_, pricesErr := b.Ports.Pricing.Prices(ctx, m, b.Markets.PriceGroup(m, commerce.Principal{}), keys[i:end])
		_, stockErr := b.Ports.Inventory.Availability(ctx, m, all[i:end])
		if err := errors.Join(productsErr, reviewsErr, relatedErr, pricesErr, stockErr); err != nil {
			return err
		}
	}
	return nil
}

func (r *recording) credentials(url string, imitated *sandbox.Server) error {
	token, _, err := imitated.Token(customer)
	if err != nil {
		return err
	}
	r.Token = token
	res, err := http.Get(url + "/_sandbox/jwks.json") //nolint:noctx // the process's own server
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	r.JWKS, err = io.ReadAll(res.Body)
	return err
}

// keep sorts an exchange to where it is replayed from.
func (r *recording) keep(e exchange) error {
	switch {
	case strings.HasPrefix(e.path, "/pimcore/"):
		return r.keepNodes(e)
	case isRecords(e.path, e.body):
		into := r.Plain
		if bytes.Contains(e.body, []byte(`"lst_price"`)) {
			into = r.Priced
		}
		return keepBy(into, e.answer, "default_code")
	case strings.HasSuffix(e.path, "/stock.quant/search_read"):
		return r.keepQuants(e.answer)
	case isList(e.path, e.body):
		r.Search, r.Asks.List = e.answer, e.body
	case strings.HasSuffix(e.path, "/_search"):
		r.Asks.Nothing = e.body
		r.Exact[exactKey(e.path, e.body)] = e.answer
	default:
		key := exactKey(e.path, e.body)
		r.Exact[key] = joined(r.Exact[key], e.answer)
	}
	return nil
}

// joined puts the rows of two answers that have the same key into one: places of stock come in several.
func joined(before, answer json.RawMessage) json.RawMessage {
	if len(before) <= len("[]") || before[0] != '[' || bytes.Equal(before, answer) {
		return answer
	}
	return slices.Concat(before[:len(before)-1], []byte(","), answer[1:])
}

func (r *recording) keepNodes(e exchange) error {
	var asked struct{ OperationName, Query string }
	if err := json.Unmarshal(e.body, &asked); err != nil {
		return err
	}
	if !slices.Contains(bySKU, asked.OperationName) {
		r.Exact[exactKey(e.path, e.body)] = e.answer
		r.Asks.Categories = e.body
		return nil
	}
	r.Asks.Queries[asked.OperationName] = asked.Query
	var answer struct {
		Data struct {
			List struct {
				Edges []struct{ Node json.RawMessage }
			} `json:"getProductListing"`
		}
	}
	if err := json.Unmarshal(e.answer, &answer); err != nil {
		return err
	}
	into := r.Nodes[asked.OperationName]
	if into == nil {
		into = map[string]json.RawMessage{}
		r.Nodes[asked.OperationName] = into
	}
	for _, edge := range answer.Data.List.Edges {
		var node struct{ SKU string }
		if err := json.Unmarshal(edge.Node, &node); err != nil {
			return err
		}
		into[node.SKU] = edge.Node
	}
	return nil
}

// keepBy sorts an array's objects by one of their fields.
func keepBy(into map[string]json.RawMessage, answer []byte, field string) error {
	var rows []map[string]json.RawMessage
	var raw []json.RawMessage
	if err := errors.Join(json.Unmarshal(answer, &rows), json.Unmarshal(answer, &raw)); err != nil {
		return err
	}
	for i, row := range rows {
		var key string
		if err := json.Unmarshal(row[field], &key); err != nil {
			return err
		}
		into[key] = raw[i]
	}
	return nil
}

func (r *recording) keepQuants(answer []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(answer, &raw); err != nil {
		return err
	}
	for _, row := range raw {
		var quant struct {
			Product []json.RawMessage `json:"product_id"`
		}
		var id int64
		if err := json.Unmarshal(row, &quant); err != nil || len(quant.Product) == 0 {
			return errors.Join(err, errors.New("a quant without a product"))
		}
		if err := json.Unmarshal(quant.Product[0], &id); err != nil {
			return err
		}
		r.Quants[id] = append(r.Quants[id], row)
	}
	return nil
}

// bySKU are Data Hub's operations that ask for products.
var bySKU = []string{"products", "reviews", "related"}

// isRecords tells a call for Odoo's products by SKU.
func isRecords(path string, body []byte) bool {
	return strings.HasSuffix(path, "/product.product/search_read") && bytes.Contains(body, []byte(`"default_code","in"`))
}

// isList tells a search for a page of a list by its least price, which tells pages apart.
func isList(path string, body []byte) bool {
	return strings.HasSuffix(path, "/_search") && bytes.Contains(body, []byte(`"gte"`))
}

// exactKey is what a whole answer is found by. Places of stock are asked for in ever other
// sets, and whoever asks joins by id: all of them answer each.
func exactKey(path string, body []byte) string {
	if strings.HasSuffix(path, "/stock.location/search_read") {
		return path
	}
	return path + "\n" + string(body)
}
