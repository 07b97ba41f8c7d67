//go:build e2e

package e2e

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
)

// checkout stands between processes and the sandbox's Magento and watches who writes.
type checkout struct {
	*httptest.Server

	mu      sync.Mutex
	writing int           // requests under way that change something
	most    int           // of those at a time so far
	entered chan struct{} // gets an element for each of those that is held
	held    chan struct{} // nil, or closed when those that are held may go on
}

// newCheckout is in front of a sandbox, which is told of the address that it is asked by: signatures name it.
func newCheckout(t *testing.T, systems string) *checkout {
	t.Helper()
	target, err := url.Parse(systems)
	require.NoError(t, err)
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	c := &checkout{entered: make(chan struct{}, 100)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			defer c.enter()()
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

// setting has a process ask this one instead of the sandbox.
func (c *checkout) setting() string { return "CHECKOUT_BASE_URL=" + c.URL + "/magento" }

func (c *checkout) enter() (leave func()) {
	c.mu.Lock()
	c.writing++
	c.most = max(c.most, c.writing)
	held := c.held
	c.mu.Unlock()
	if held != nil {
		c.entered <- struct{}{}
		<-held
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.writing--
	}
}

// hold holds every write from now on until release is called.
func (c *checkout) hold() (release func()) {
	held := make(chan struct{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = held
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.held = nil
		close(held)
	}
}

// nodes are two processes of the mobile channel with one Redis over one sandbox.
type nodes struct {
	t        *testing.T
	s        *stack.Stack
	checkout *checkout
	redis    *redisServer
	apps     [2]string // base URLs
}

// startNodes starts both, each with settings of its own.
func startNodes(t *testing.T, own ...[]string) *nodes {
	t.Helper()
	n := &nodes{t: t, s: start(t), redis: newRedis(t)}
	n.redis.start()
	n.checkout = newCheckout(t, n.s.Sandbox)
	for i := range n.apps {
		settings := n.settings()
		if i < len(own) {
			settings = append(settings, own[i]...)
		}
		p := startMobile(t, n.s.Sandbox, settings...)
		n.apps[i] = "http://" + p.addr
	}
	return n
}

// settings are those that processes of either channel share.
func (n *nodes) settings() []string {
	return append(patient(), "REDIS_URL="+n.redis.url(), n.checkout.setting(), "ORDER_TOKEN_KEY="+strings.Repeat("k", 32))
}

// write sends one write to a node and then, with the same key, to the other one, which
// answers the same without a call. The one that comes first changes from write to write.
func (n *nodes) write(method, path string, body any, headers ...string) reply {
	n.t.Helper()
	headers = append([]string{"Idempotency-Key", rand.Text() + rand.Text()}, headers...)
	first := send(n.t, method, n.apps[0]+path, body, headers...)
	require.Less(n.t, first.Status, 300, "%s %s: %s", method, path, first.Raw)
	require.Empty(n.t, first.Header.Get("Idempotent-Replayed"))
	forgetCalls(n.t, n.s)
	again := send(n.t, method, n.apps[1]+path, body, headers...)
	assert.Equal(n.t, first.Status, again.Status, "%s %s: %s", method, path, again.Raw)
	assert.Equal(n.t, first.Raw, again.Raw, "%s %s", method, path)
	assert.Equal(n.t, "true", again.Header.Get("Idempotent-Replayed"), "%s %s", method, path)
	assert.Equal(n.t, first.Header.Get("ETag"), again.Header.Get("ETag"), "%s %s", method, path)
	assert.Empty(n.t, again.Header.Values("Set-Cookie"))
	assert.Empty(n.t, calls(n.t, n.s)["magento"], "%s %s", method, path)
	n.apps[0], n.apps[1] = n.apps[1], n.apps[0]
	return first
}

// K1: an app whose connection broke asks again and may reach another node.
func TestK1_AnswersAreReplayedByAnotherNode(t *testing.T) {
	t.Parallel()
	n := startNodes(t)
	customer := bearer(t, n.s, someCustomer)
	for who, headers := range map[string][]string{"guest": nil, "customer": customer} {
		cart := n.write(http.MethodPost, "/v1/carts", map[string]any{}, headers...)
		path := "/v1/carts/" + cart.text("id")
		one := n.write(http.MethodPost, path+"/lines", map[string]any{"sku": "HL-U509-R", "quantity": 3}, headers...)
		require.EqualValues(t, 3, one.at("quantity"), who)
		line := path + "/lines/" + one.text("lines", 0, "id")
		two := n.write(http.MethodPatch, line, map[string]any{"quantity": 2}, headers...)
		require.EqualValues(t, 2, two.at("quantity"), who)
		n.write(http.MethodDelete, line, nil, headers...)
		n.write(http.MethodPost, path+"/lines", map[string]any{"sku": "HL-U509", "quantity": 1}, headers...)
		n.write(http.MethodPut, path+"/coupon", map[string]any{"code": "WELCOME10"}, headers...)
		n.write(http.MethodDelete, path+"/coupon", nil, headers...)
		options := n.write(http.MethodPost, path+"/shipping-options", map[string]any{"address": seattle}, headers...)
		ready := n.write(http.MethodPut, path+"/shipping", map[string]any{
			"email": "ann@example.test", "shippingAddress": seattle, "methodCode": options.text("options", 0, "code"),
		}, headers...)
		placed := n.write(http.MethodPost, path+"/order", map[string]any{"paymentMethod": ready.text("payments", 0, "code")}, headers...)
		require.NotEmpty(t, placed.text("number"), who)
		require.Equal(t, who == "guest", placed.text("orderToken") != "", "the same token is given again, too")
	}
	guest := n.write(http.MethodPost, "/v1/carts", map[string]any{}).text("id")
	n.write(http.MethodPost, "/v1/carts/"+guest+"/merge", map[string]any{}, customer...)

	// What is not the same is told apart by the other node as well.
	cart := "/v1/carts/" + n.write(http.MethodPost, "/v1/carts", map[string]any{}).text("id") + "/lines"
	key := []string{"Idempotency-Key", rand.Text() + rand.Text()}
	lines := func(app string, quantity int) reply {
		return send(t, http.MethodPost, app+cart, map[string]any{"sku": "HL-U509-R", "quantity": quantity}, key...)
	}
	release := n.checkout.hold()
	done := make(chan reply, 1)
	go func() { done <- lines(n.apps[0], 1) }()
	select {
	case <-n.checkout.entered:
	case <-time.After(time.Minute):
		require.Fail(t, "the write does not reach the checkout")
	}
	busy := lines(n.apps[1], 1)
	release()
	assert.Equal(t, http.StatusConflict, busy.Status, busy.Raw)
	assert.NotEmpty(t, busy.Header.Get("Retry-After"))
	first := <-done
	require.Equal(t, http.StatusOK, first.Status, first.Raw)
	assert.Equal(t, first.Raw, lines(n.apps[1], 1).Raw)
	assert.Equal(t, http.StatusUnprocessableEntity, lines(n.apps[1], 2).Status)
	missing := send(t, http.MethodPost, n.apps[1]+cart, map[string]any{"sku": "HL-U509-R", "quantity": 1}, "Idempotency-Key", "")
	assert.Equal(t, http.StatusBadRequest, missing.Status, missing.Raw)
}

// K2: callers who chose the same key know nothing of each other, whichever nodes they reach.
func TestK2_KeysBelongToTheirCallerOnEveryNode(t *testing.T) {
	t.Parallel()
	n := startNodes(t)
	key := rand.Text() + rand.Text()
	callers := map[string][]string{
		"guest": {"Idempotency-Key", key},
		"one":   append(bearer(t, n.s, someCustomer), "Idempotency-Key", key),
		"other": append(bearer(t, n.s, otherCustomer), "Idempotency-Key", key),
	}
	carts := map[string]reply{}
	for who, headers := range callers {
		first := send(t, http.MethodPost, n.apps[len(carts)%2]+"/v1/carts", map[string]any{}, headers...)
		require.Equal(t, http.StatusCreated, first.Status, first.Raw)
		assert.Empty(t, first.Header.Get("Idempotent-Replayed"), who)
		for neighbor, theirs := range carts {
			assert.NotContains(t, first.Raw, theirs.text("id"), "%s and %s", who, neighbor)
		}
		carts[who] = first
	}
	for who, headers := range callers {
		for _, app := range n.apps {
			again := send(t, http.MethodPost, app+"/v1/carts", map[string]any{}, headers...)
			assert.Equal(t, carts[who].Raw, again.Raw, who)
			assert.Equal(t, "true", again.Header.Get("Idempotent-Replayed"), who)
		}
	}
	// One guest's cart is written to by all three with one key: each of them did.
	lines := "/v1/carts/" + carts["guest"].text("id") + "/lines"
	quantities := map[any]bool{}
	for who, headers := range callers {
		for i, app := range n.apps {
			r := send(t, http.MethodPost, app+lines, map[string]any{"sku": "HL-U509-R", "quantity": 1}, headers...)
			require.Equal(t, http.StatusOK, r.Status, r.Raw)
			assert.Equal(t, i == 1, r.Header.Get("Idempotent-Replayed") == "true", who)
			quantities[r.at("quantity")] = true
		}
	}
	assert.Len(t, quantities, len(callers))
	client := n.redis.client()
	defer func() { _ = client.Close() }()
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	for _, name := range keys {
		assert.NotContains(t, name, key)
		assert.NotContains(t, name, carts["guest"].text("id")[2:], "a guest's secret is in no key")
	}
}

// K5: a hundred writes reach one cart by two processes, of the web and of the mobile
// channel, and are made one after the other: the checkout would lose some of several at a time.
func TestK5_AHundredWritesToOneCartLoseNothing(t *testing.T) {
	t.Parallel()
	const writers, each = 20, 5
	n := startNodes(t)
	_, web := webProcess(t, n.s.Sandbox, n.settings()...)
	cart := send(t, http.MethodPost, n.apps[0]+"/v1/carts", map[string]any{}).text("id")
	require.NotEmpty(t, cart)
	const add = `mutation A($input: CartLineAddInput!) { cartLineAdd(input: $input) { cart { quantity } userErrors { code } } }`
	byWeb := func() bool {
		input := map[string]any{"cartId": cart, "sku": "HL-U509", "quantity": 1}
		r := send(t, http.MethodPost, web+"/graphql", map[string]any{"query": add, "variables": map[string]any{"input": input}})
		return r.at("data", "cartLineAdd", "cart", "quantity") != nil
	}
	byApp := func() bool {
		r := send(t, http.MethodPost, n.apps[0]+"/v1/carts/"+cart+"/lines", map[string]any{"sku": "HL-U509", "quantity": 1})
		return r.Status == http.StatusOK
	}
	var work sync.WaitGroup
	for i := range writers {
		work.Go(func() {
			for range each {
				if i%2 == 0 {
					assert.True(t, byWeb())
				} else {
					assert.True(t, byApp())
				}
			}
		})
	}
	work.Wait()
	r := send(t, http.MethodGet, n.apps[1]+"/v1/screens/cart/"+cart, nil)
	assert.EqualValues(t, writers*each, r.at("cart", "quantity"), r.Raw)
	assert.Equal(t, 1, n.checkout.most, "writes to the checkout at a time")
}
