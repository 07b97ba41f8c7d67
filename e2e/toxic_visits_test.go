//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
	"github.com/portico-bff/portico/schema/commerce"
)

// visit is a read of either channel, whose answer is the same whenever it is complete.
type visit struct {
	name    string
	path    string // of the mobile channel; empty: GraphQL
	query   string // of the web channel
	headers []string
}

// visits are what a shopper looks at: about one product, so that another's are not answered from memory.
func visits(sku, locale string, customer []string) []visit {
	market := []string{"Accept-Language", locale}
	signedIn := append(append([]string{}, market...), customer...)
	return []visit{
		{name: "product page", query: `{ product(sku: "` + sku + `") { sku name description brand price { unit { amount } } availability { quantity } reviews { count average }
			related { sku name } } }`, headers: market},
		{name: "search", query: `{ search(text: "bike", first: 5) { totalCount nodes { sku name price { unit { amount } } availability { quantity } } } categories { id name } }`, headers: market},
		{name: "me", query: `{ me { profile { firstName lastName } loyalty { points } orders(first: 3) { nodes { number } } } }`, headers: signedIn},
		{name: "product screen", path: "/v1/screens/products/" + sku, headers: market},
		{name: "search screen", path: "/v1/screens/search?q=helmet&first=5", headers: market},
		{name: "category screen", path: "/v1/screens/categories/131?first=5", headers: market},
		{name: "home screen", path: "/v1/screens/home", headers: market},
		{name: "account screen", path: "/v1/screens/account", headers: signedIn},
	}
}

// on makes the visit at s and answers how long it took.
func (v visit) on(t *testing.T, s *stack.Stack) (reply, time.Duration) {
	t.Helper()
	begin := time.Now()
	if v.path == "" {
		return graphQL(t, s, v.query, nil, v.headers...), time.Since(begin)
	}
	return send(t, http.MethodGet, s.Mobile+v.path, nil, v.headers...), time.Since(begin)
}

// wrong lists what of an answer is neither what a healthy shop says nor reported as missing.
func (v visit) wrong(got, healthy reply) []string {
	if v.path == "" {
		return v.wrongOnTheWeb(got, healthy)
	}
	if got.Status == http.StatusServiceUnavailable || got.Status == http.StatusGatewayTimeout || got.Status == http.StatusBadGateway {
		return nil // a part without which there is no screen; nothing is told that is not so
	}
	if got.Status != http.StatusOK {
		return []string{fmt.Sprintf("status %d: %.200s", got.Status, got.Raw)}
	}
	var d difference
	want := reply{Body: map[string]any{}}
	for part, value := range healthy.Body {
		want.Body[part] = value
	}
	delete(got.Body, "degraded")
	d.compare(nil, got.Body, want.Body)
	var problems []string
	reported := decodedParts(got)
	for _, path := range d.missing {
		if !within(names(path), reported) {
			problems = append(problems, fmt.Sprintf("%v is missing and not reported in %v", path, reported))
		}
	}
	return append(problems, d.wrong...)
}

func (v visit) wrongOnTheWeb(got, healthy reply) []string {
	if got.Status != http.StatusOK || got.at("data") == nil {
		return []string{fmt.Sprintf("status %d: %.200s", got.Status, got.Raw)}
	}
	var d difference
	d.compare(nil, got.at("data"), healthy.at("data"))
	var problems []string
	for _, path := range d.missing {
		covered := false
		for i := range got.list("errors") {
			at := got.list("errors", i, "path")
			covered = covered || (len(at) <= len(path) && fmt.Sprint(at) == fmt.Sprint(path[:len(at)]))
		}
		for i := range got.list("extensions", "freshness") { // a declared constant is told there, and is no error
			at := got.list("extensions", "freshness", i, "path")
			filled := got.text("extensions", "freshness", i, "state") == string(commerce.StateFiller)
			covered = covered || (filled && len(at) <= len(path) && fmt.Sprint(at) == fmt.Sprint(path[:len(at)]))
		}
		if !covered {
			problems = append(problems, fmt.Sprintf("%v is null without an error: %.300s", path, got.Raw))
		}
	}
	return append(problems, d.wrong...)
}

// difference is between an answer and a healthy one.
type difference struct {
	missing [][]any // paths
	wrong   []string
}

func (d *difference) compare(path []any, got, want any) {
	switch want := want.(type) {
	case map[string]any:
		fields, ok := got.(map[string]any)
		if !ok {
			d.leaf(path, got, want)
			return
		}
		for name, value := range want {
			d.compare(append(path[:len(path):len(path)], name), fields[name], value)
		}
		for name, value := range fields {
			if _, known := want[name]; !known && value != nil {
				d.wrong = append(d.wrong, fmt.Sprintf("%v has %s: %v, which a healthy answer has not", path, name, value))
			}
		}
	case []any:
		items, ok := got.([]any)
		if ok && len(items) > 0 && len(items) < len(want) {
			// Some of a list's products could not be had: that is reported, like a part.
			d.missing = append(d.missing, path)
			want = ofSKUs(want, items)
		}
		if !ok || len(items) != len(want) {
			d.leaf(path, got, want)
			return
		}
		for i, value := range want {
			d.compare(append(path[:len(path):len(path)], float64(i)), items[i], value)
		}
	default:
		d.leaf(path, got, want)
	}
}

// ofSKUs are those of list, in its order, that items has the products of.
func ofSKUs(list, items []any) []any {
	skus := map[any]bool{}
	for _, item := range items {
		if product, ok := item.(map[string]any); ok && product["sku"] != nil {
			skus[product["sku"]] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(list), func(item any) bool {
		product, ok := item.(map[string]any)
		return !ok || !skus[product["sku"]]
	})
}

// leaf is a value, or a part that is not there or of another shape.
func (d *difference) leaf(path []any, got, want any) {
	switch list, isList := got.([]any); {
	case reflect.DeepEqual(got, want):
	case got == nil || (isList && len(list) == 0):
		d.missing = append(d.missing, path)
	default:
		d.wrong = append(d.wrong, fmt.Sprintf("%v is %.120v, not %.120v", path, got, want))
	}
}

// names is a path without its indexes, as parts of a screen are named.
func names(path []any) string {
	var list []string
	for _, step := range path {
		if name, ok := step.(string); ok && name != "items" {
			list = append(list, name)
		}
	}
	return strings.Join(list, ".")
}

// decodedParts reads the parts that a screen says are not fresh out of its raw text.
func decodedParts(r reply) []string {
	var whole struct {
		Degraded []struct{ Part string }
	}
	_ = json.Unmarshal([]byte(r.Raw), &whole)
	var list []string
	for _, d := range whole.Degraded {
		list = append(list, d.Part)
	}
	return list
}

// partOf names the part that a screen's field comes from where that is not its own name.
var partOf = strings.NewReplacer("inStock", "availability", "addresses", "profile")

// within tells whether one of the parts is the path or holds it.
func within(path string, parts []string) bool {
	path = partOf.Replace(path)
	for _, part := range parts {
		part = strings.TrimSuffix(part, ".items")
		if path == part || strings.HasPrefix(path, part+".") {
			return true
		}
	}
	return false
}

// purchase is two carts over a healthy channel: one to add a line to, one to order.
type purchase struct {
	onTheWeb bool
	adding   string // cart that is empty
	ordering string // cart that can be ordered
	payment  string
	email    string
	key      string // of the order's idempotency
}

// prepare makes the carts at a healthy stack.
func prepare(t *testing.T, s *stack.Stack, n int, onTheWeb bool) purchase {
	t.Helper()
	w := webShop{t: t, s: s}
	p := purchase{onTheWeb: onTheWeb, email: fmt.Sprintf("toxic%d@example.test", n), key: fmt.Sprintf("6ba7b810-9dad-11d1-80b4-%012d", n)}
	create := func() string {
		return w.ask(`mutation { cartCreate { cart { id } userErrors { code } } }`, nil).text("data", "cartCreate", "cart", "id")
	}
	p.adding, p.ordering = create(), create()
	w.change("cartLineAdd", "CartLineAddInput", cartFields, map[string]any{"cartId": p.ordering, "sku": orderedSKU, "quantity": 1})
	options := w.ask(`query S($id: ID!, $a: AddressInput!) { shippingOptions(cartId: $id, address: $a) { code } }`, map[string]any{"id": p.ordering, "a": seattle})
	out := w.change("cartShippingSet", "CartShippingSetInput", cartFields, map[string]any{
		"cartId": p.ordering, "email": p.email, "shippingAddress": seattle, "methodCode": options.text("data", "shippingOptions", 0, "code"),
	})
	p.payment = reply{Body: out}.text("cart", "payments", 0, "code")
	require.NotEmpty(t, p.payment)
	return p
}

// orderedSKU is in stock often enough for all orders, and on no page that is compared.
const orderedSKU = "HL-U509-R"

// add adds one line and tells whether the shop said that it did.
func (p purchase) add(t *testing.T, s *stack.Stack) (said bool, took time.Duration) {
	t.Helper()
	begin := time.Now()
	if !p.onTheWeb {
		r := send(t, http.MethodPost, s.Mobile+"/v1/carts/"+p.adding+"/lines", map[string]any{"sku": orderedSKU, "quantity": 1})
		return r.Status < 300, time.Since(begin)
	}
	r := graphQL(t, s, `mutation A($input: CartLineAddInput!) { cartLineAdd(input: $input) { cart { quantity } userErrors { code } } }`,
		map[string]any{"input": map[string]any{"cartId": p.adding, "sku": orderedSKU, "quantity": 1}})
	return r.at("data", "cartLineAdd", "cart", "quantity") != nil, time.Since(begin)
}

// place orders and answers the order's number, or "" when the shop did not say one.
func (p purchase) place(t *testing.T, s *stack.Stack) (number string, took time.Duration) {
	t.Helper()
	begin := time.Now()
	if !p.onTheWeb {
		r := send(t, http.MethodPost, s.Mobile+"/v1/carts/"+p.ordering+"/order", map[string]any{"paymentMethod": p.payment}, "Idempotency-Key", p.key)
		if r.Status != http.StatusCreated {
			return "", time.Since(begin)
		}
		return r.text("number"), time.Since(begin)
	}
	r := graphQL(t, s, `mutation P($input: OrderPlaceInput!) { orderPlace(input: $input) { order { number } orderToken userErrors { code } } }`,
		map[string]any{"input": map[string]any{"cartId": p.ordering, "paymentMethod": p.payment, "idempotencyKey": p.key}})
	return r.text("data", "orderPlace", "order", "number"), time.Since(begin)
}
