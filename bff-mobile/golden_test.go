package bffmobile

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

var update = flag.Bool("update", false, "write the golden files")

// golden holds an answer against a file: status, the headers that count, body.
func golden(t *testing.T, name string, a answer) {
	t.Helper()
	var text bytes.Buffer
	fmt.Fprintln(&text, a.Status)
	for _, h := range []string{"Content-Type", "Cache-Control", "Vary", "Content-Language", "X-Channel", "X-Currency", "X-Country", "Retry-After", "Www-Authenticate", "Allow", "Idempotent-Replayed"} {
		if v := a.Header.Get(h); v != "" {
			fmt.Fprintf(&text, "%s: %s\n", h, v)
		}
	}
	text.WriteByte('\n')
	require.NoError(t, json.Indent(&text, []byte(a.Raw), "", "  "), a.Raw)
	text.WriteByte('\n')
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.WriteFile(path, text.Bytes(), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run go test -update")
	require.Equal(t, string(want), text.String())
}

// guestCart is where the shop puts its first guest's cart.
const guestCart = "g_00000000000000000000000000001001"

const seattle = `{"firstName":"Ann","lastName":"Lee","street":["1 Main St"],"city":"Seattle","region":"WA","postcode":"98101","country":"US"}`

// filled opens a guest's cart with two red mugs.
func (s *shop) filled(t *testing.T) string {
	t.Helper()
	s.ok(t, call{"POST", "/v1/carts", `{}`, nil})
	s.ok(t, call{"POST", "/v1/carts/" + guestCart + "/lines", `{"sku":"MUG-RED","quantity":2}`, nil})
	return "/v1/carts/" + guestCart
}

func TestScreensAndResources(t *testing.T) {
	t.Parallel()
	ann := []string{"Authorization", "Bearer C1"}
	french := []string{"X-Channel", "eu", "Accept-Language", "fr"}
	for name, c := range map[string]call{
		"config":           get("/v1/config"),
		"home":             get("/v1/screens/home"),
		"home-french":      get("/v1/screens/home?width=80", french...),
		"home-customer":    get("/v1/screens/home", ann...),
		"category":         get("/v1/screens/categories/kitchen?sort=PRICE_ASC&first=2"),
		"category-root":    get("/v1/screens/categories/home?facet=color:Red&inStock=true"),
		"search":           get("/v1/screens/search?q=mug"),
		"search-nothing":   get("/v1/screens/search?q=zzz"),
		"search-page":      get("/v1/screens/search?first=1&after=2&facet=color:Red&facet=color:Blue"),
		"product":          get("/v1/screens/products/MUG-RED"),
		"product-french":   get("/v1/screens/products/MUG-RED?width=80", french...),
		"product-sold-out": get("/v1/screens/products/RUG-1"),
		"account":          get("/v1/screens/account", ann...),
		"account-new":      get("/v1/screens/account", "Authorization", "Bearer C9"),
		"orders":           get("/v1/orders?first=1", ann...),
		"order":            get("/v1/orders/000000007", ann...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t).checked(t, c)
			require.Equal(t, 200, a.Status, a.Raw)
			golden(t, name, a)
		})
	}
}

// A guest's whole purchase, each answer held against contract and golden file.
func TestAGuestBuys(t *testing.T) {
	t.Parallel()
	s := open(t)
	const cart = "/v1/carts/" + guestCart
	step := func(name string, c call) answer {
		t.Helper()
		a := s.checked(t, c)
		golden(t, "buy-"+name, a)
		return a
	}
	step("1-create", call{"POST", "/v1/carts", `{}`, nil})
	step("2-add", call{"POST", cart + "/lines", `{"sku":"MUG-RED","quantity":2}`, nil})
	step("3-set", call{"PATCH", cart + "/lines/1002", `{"quantity":3}`, nil})
	s.checked(t, call{"POST", cart + "/lines", `{"sku":"BOWL-1","quantity":1}`, nil})
	step("4-remove", call{"DELETE", cart + "/lines/1003", "", nil})
	step("5-coupon", call{"PUT", cart + "/coupon", `{"code":"WELCOME10"}`, nil})
	step("6-screen", get("/v1/screens/cart/"+guestCart))
	step("7-options", call{"POST", cart + "/shipping-options", `{"address":` + seattle + `}`, nil})
	step("8-shipping", call{"PUT", cart + "/shipping", `{"email":"ann@example.test","shippingAddress":` + seattle + `,"billingAddress":` + seattle + `,"methodCode":"post.ground"}`, nil})
	golden(t, "cart", s.checked(t, get(cart)))
	step("8-checkout", get("/v1/screens/checkout/"+guestCart))
	step("9-coupon-off", call{"DELETE", cart + "/coupon", "", nil})
	placed := step("a-order", call{"POST", cart + "/order", `{"paymentMethod":"checkmo"}`, []string{"Idempotency-Key", "key-1"}})
	var order struct{ Number, OrderToken string }
	require.NoError(t, json.Unmarshal([]byte(placed.Raw), &order))
	step("b-read", get("/v1/orders/"+order.Number, "X-Order-Token", order.OrderToken))
	step("c-cart-gone", get("/v1/screens/cart/"+guestCart))
}

func TestACustomerMerges(t *testing.T) {
	t.Parallel()
	s := open(t)
	cart := s.filled(t)
	golden(t, "merge", s.checked(t, call{"POST", cart + "/merge", "", []string{"Authorization", "Bearer C1"}}))
	require.Equal(t, 404, s.send(t, get("/v1/screens/cart/"+guestCart)).Status)
}

func TestProblems(t *testing.T) {
	t.Parallel()
	const home = "/v1/screens/home"
	upstream := func(op commerce.Operation, err error) func(*shop) { return func(s *shop) { s.Fail(op, err) } }
	for name, p := range map[string]struct {
		call
		with   func(*shop)
		status int
	}{
		"invalid-input":       {get("/v1/screens/search?first=0"), nil, 400},
		"unauthenticated":     {get("/v1/orders"), nil, 401},
		"bad-token":           {get(home, "Authorization", "Bearer forged"), nil, 401},
		"keys-away":           {get(home, "Authorization", "Bearer no-keys"), nil, 503},
		"not-found":           {get("/v1/screens/products/NO-SUCH"), nil, 404},
		"media-type":          {call{"POST", "/v1/carts", "{}", []string{"Content-Type", "text/plain"}}, nil, 415},
		"encoded":             {call{"POST", "/v1/carts", "{}", []string{"Content-Encoding", "gzip"}}, nil, 415},
		"coupon":              {call{"PUT", "/v1/carts/" + guestCart + "/coupon", `{"code":"NOPE"}`, nil}, func(s *shop) { s.filled(t) }, 400},
		"precondition-failed": {call{"DELETE", "/v1/carts/" + guestCart + "/coupon", "", []string{"If-Match", `"old"`}}, func(s *shop) { s.filled(t) }, 412},
		"rate-limited":        {get("/v1/screens/search"), upstream(commerce.OpSearch, commerce.ErrRateLimited), 429},
		"forbidden":           {get("/v1/screens/search"), upstream(commerce.OpSearch, commerce.ErrForbidden), 403},
		"internal":            {get("/v1/screens/search"), upstream(commerce.OpSearch, fmt.Errorf("secret detail")), 500},
		"bad-upstream":        {get("/v1/screens/search"), upstream(commerce.OpSearch, commerce.ErrUpstream), 502},
		"unavailable":         {get("/v1/screens/search"), upstream(commerce.OpSearch, commerce.ErrUnavailable), 503},
		"retry-after": {get("/v1/screens/search"), upstream(commerce.OpSearch,
			&commerce.CallError{System: "shop", Operation: commerce.OpSearch, Kind: commerce.ErrUnavailable, RetryAfter: 1500e6}), 503},
		"timeout": {get("/v1/screens/search"), upstream(commerce.OpSearch, commerce.ErrTimeout), 504},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			if p.with != nil {
				p.with(s)
			}
			a := s.checked(t, p.call)
			require.Equal(t, p.status, a.Status, a.Raw)
			require.Equal(t, "application/problem+json", a.Header.Get("Content-Type"))
			require.NotContains(t, a.Raw, "secret detail")
			golden(t, "problem-"+name, a)
		})
	}
	for name, p := range map[string]struct {
		call
		status int
	}{
		"no-route": {get("/v1/nothing"), 404},
		"method":   {call{"DELETE", home, "", nil}, 405},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t).send(t, p.call)
			require.Equal(t, p.status, a.Status, a.Raw)
			golden(t, "problem-"+name, a)
		})
	}
}
