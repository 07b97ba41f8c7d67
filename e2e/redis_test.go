//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	bffweb "github.com/portico-bff/portico/bff-web"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/demo/stack"
)

const readPage = `query P($sku: String!) { product(sku: $sku) { name price { unit { amount } } availability { quantity } reviews { count } } search(first: 3) { totalCount } categories { name } }`

// readable fails the test unless both channels answer reads in full.
func readable(t *testing.T, s *stack.Stack, sku string) {
	t.Helper()
	r := graphQL(t, s, readPage, map[string]any{"sku": sku})
	require.Equal(t, http.StatusOK, r.Status, r.Raw)
	require.Nil(t, r.at("errors"), r.Raw)
	require.NotEmpty(t, r.text("data", "product", "name"))
	m := send(t, http.MethodGet, s.Mobile+"/v1/screens/products/"+sku, nil)
	require.Equal(t, http.StatusOK, m.Status, m.Raw)
	require.Nil(t, m.at("degraded"), m.Raw)
}

// readyToPlace opens a guest cart over GraphQL that can be ordered.
func readyToPlace(t *testing.T, s *stack.Stack, sku string) (cart, payment string) {
	t.Helper()
	w := webShop{t: t, s: s}
	cart = w.ask(`mutation { cartCreate { cart { id } userErrors { code } } }`, nil).text("data", "cartCreate", "cart", "id")
	w.change("cartLineAdd", "CartLineAddInput", cartFields, map[string]any{"cartId": cart, "sku": sku, "quantity": 1})
	r := w.ask(`query S($id: ID!, $a: AddressInput!) { shippingOptions(cartId: $id, address: $a) { code } }`, map[string]any{"id": cart, "a": seattle})
	out := w.change("cartShippingSet", "CartShippingSetInput", cartFields, map[string]any{
		"cartId": cart, "email": "ann@example.test", "shippingAddress": seattle, "methodCode": r.text("data", "shippingOptions", 0, "code"),
	})
	return cart, reply{Body: out}.text("cart", "payments", 0, "code")
}

func TestRedisAbsent(t *testing.T) {
	t.Parallel()
	redis := newRedis(t) // nothing listens there
	s := start(t, append(patient(), "REDIS_URL="+redis.url())...)
	readable(t, s, "HL-U509-R")
	readable(t, s, "HL-U509-R")
	cart, payment := readyToPlace(t, s, "HL-U509-R")
	forgetCalls(t, s)
	order := send(t, http.MethodPost, s.Mobile+"/v1/carts/"+cart+"/order", map[string]string{"paymentMethod": payment},
		"Idempotency-Key", "6ba7b810-9dad-11d1-80b4-00c04fd430c8")
	require.Equal(t, http.StatusServiceUnavailable, order.Status, order.Raw)
	assert.Zero(t, total(calls(t, s)), "an order that cannot be remembered is not sent: %v", calls(t, s))
}

func TestRedisStoppedAndBack(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	redis.start()
	s := start(t, append(patient(), "REDIS_URL="+redis.url())...)
	readable(t, s, "HL-U509-R")
	redis.stop()
	for i := range 5 {
		readable(t, s, []string{"HL-U509-R", "HL-U509", "HL-U509-B", "SO-B909-M", "CA-1098"}[i])
	}
	redis.start()
	readable(t, s, "LJ-0192-S")
	cart, payment := readyToPlace(t, s, "HL-U509-R")
	require.Eventually(t, func() bool {
		order := send(t, http.MethodPost, s.Mobile+"/v1/carts/"+cart+"/order", map[string]string{"paymentMethod": payment},
			"Idempotency-Key", "6ba7b810-9dad-11d1-80b4-00c04fd430c9")
		return order.Status < 300
	}, time.Minute, 100*time.Millisecond, "orders are taken again once Redis is back")
}

// node is a second web process' worth of channel over the same sandbox.
func node(t *testing.T, s *stack.Stack, extra ...string) *stack.Stack {
	t.Helper()
	settings := append(append([]string{"PORTICO_MODE=development", "WEB_OPEN_QUERIES=true"}, sandbox.Environ(s.Sandbox)...), append(anywhere, extra...)...)
	cfg, err := bffweb.Load(settings)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	app, err := bffweb.New(ctx, cfg)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- app.Serve(ctx) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
	select {
	case <-app.Ready():
	case <-time.After(time.Minute):
		require.Fail(t, "the node does not listen")
	}
	return &stack.Stack{Sandbox: s.Sandbox, Web: "http://" + app.Addr()}
}

func TestTwoNodesShareOneRedis(t *testing.T) {
	t.Parallel()
	redis := newRedis(t)
	redis.start()
	url := "REDIS_URL=" + redis.url()
	one := start(t, url)
	two := node(t, one, url)
	looks := newLooks(one)
	require.Eventually(t, func() bool { // once it hears of invalidations, and when the answer is stored behind what one was told
		page := `{ product(sku: "` + looks.one(t).sku + `") { name reviews { count } } }`
		first := graphQL(t, one, page, nil)
		require.Nil(t, first.at("errors"), first.Raw)
		forgetCalls(t, one)
		second := graphQL(t, two, page, nil)
		require.Equal(t, first.at("data"), second.at("data"))
		return total(calls(t, one)) == 0
	}, time.Minute, 20*time.Millisecond, "the other node's answers are used")

	cart, payment := readyToPlace(t, one, "HL-U509")
	input := map[string]any{"input": map[string]any{"cartId": cart, "paymentMethod": payment, "idempotencyKey": "6ba7b810-9dad-11d1-80b4-00c04fd430d0"}}
	const place = `mutation P($input: OrderPlaceInput!) { orderPlace(input: $input) { order { number } orderToken userErrors { code } } }`
	here := graphQL(t, one, place, input)
	there := graphQL(t, two, place, input)
	require.NotEmpty(t, here.text("data", "orderPlace", "order", "number"), here.Raw)
	require.Equal(t, here.at("data"), there.at("data"), "a repeated tap is answered by any node alike")

	client := redis.client()
	defer func() { _ = client.Close() }()
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	for _, key := range keys {
		assert.NotContains(t, key, cart[2:], "a guest's secret is in no key")
		assert.NotContains(t, key, "6ba7b810", "nor a client's idempotency key")
	}
	t.Logf("%d keys", len(keys))
}
