package stack_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bojanz/currency"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/world"
	"github.com/portico-bff/portico/demo/stack"
)

// watch subscribes; each call of next waits for the next answer.
func watch(t *testing.T, s *stack.Stack, query, token string) (next func() string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Web+"/graphql", bytes.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "text/event-stream")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		_ = answer.Body.Close()
	})
	require.Equal(t, http.StatusOK, answer.StatusCode)
	lines := bufio.NewScanner(answer.Body)
	return func() string {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				return data
			}
		}
		require.NoError(t, lines.Err())
		return ""
	}
}

// Without Redis, and as real systems tell of it: a changed stock and an order on its way.
func TestWhatChangesInTheWorldReachesWhoWatchesIt(t *testing.T) {
	t.Parallel()
	s := start(t, "WEB_LIVE_REREAD=1h")
	const sku = "BK-R93R-44"
	stock := watch(t, s, `subscription { availability(skus: ["`+sku+`"]) { availability { quantity } } }`, "")
	require.Contains(t, stock(), `"quantity":`)
	var took []time.Duration
	for _, pieces := range []string{"7", "0", "3"} {
		begun := time.Now()
		post(t, s.Sandbox+"/_sandbox/world", map[string]any{"sku": sku, "stock": json.Number(pieces)})
		require.Contains(t, stock(), `"quantity":`+pieces)
		took = append(took, time.Since(begun))
	}
	t.Logf("a change of stock was sent after %v", took)
	assert.Less(t, slices.Min(took), time.Second, "a busy machine makes some of them late: %v", took)

	s.Server().World.SetSyncDelay(0)
	placed, customer := placeOne(t, s.Server().World, sku)
	require.Contains(t, stock(), `"quantity":2`, "an order takes stock")
	status := watch(t, s, `subscription { orderStatus(id: "`+placed+`") { status shipments { state } } }`, tokenOf(t, s, customer))
	require.JSONEq(t, `{"orderStatus":{"status":"CONFIRMED","shipments":[{"state":"READY"}]}}`, data(t, status()))
	for _, step := range []struct{ to, status string }{{"shipped", "SHIPPED"}, {"delivered", "DELIVERED"}, {"cancelled", "CANCELLED"}} {
		post(t, s.Sandbox+"/_sandbox/world", map[string]any{"order": placed, "state": step.to})
		require.Contains(t, status(), `"status":"`+step.status+`"`)
	}
}

// The ERP tells when it takes an order over: nobody waits for the next reading.
func TestThatTheERPTakesAnOrderOverReachesWhoWatchesIt(t *testing.T) {
	t.Parallel()
	s := start(t, "WEB_LIVE_REREAD=1h")
	s.Server().World.SetSyncDelay(6 * time.Second)
	placed, customer := placeOne(t, s.Server().World, "BK-R93R-44")
	status := watch(t, s, `subscription { orderStatus(id: "`+placed+`") { status pendingSync } }`, tokenOf(t, s, customer))
	first := data(t, status())
	if strings.Contains(first, `"pendingSync":true`) { // else the machine was too busy to see it before
		first = data(t, status())
	}
	require.JSONEq(t, `{"orderStatus":{"status":"CONFIRMED","pendingSync":false}}`, first)
}

// placeOne has a customer order one piece.
func placeOne(t *testing.T, w *world.World, sku string) (number, customer string) {
	t.Helper()
	usd := func(number string) currency.Amount {
		amount, err := currency.NewAmount(number, "USD")
		require.NoError(t, err)
		return amount
	}
	p, c := w.BySKU(sku), w.Customers()[0]
	placed, err := w.PlaceOrder(world.Order{
		CustomerNumber: c.Number, Email: c.Email, Group: c.Group, Currency: "USD",
		Lines:    []world.OrderLine{{ProductID: p.ID, SKU: p.SKU, Name: p.Name, Qty: 1, Unit: usd("10.00")}},
		Subtotal: usd("10.00"), Discount: usd("0.00"), Shipping: usd("0.00"), Tax: usd("0.00"), Total: usd("10.00"),
	})
	require.NoError(t, err)
	return placed.Number, c.Number
}

// tokenOf is a token of a customer.
func tokenOf(t *testing.T, s *stack.Stack, customer string) string {
	t.Helper()
	var signed struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(post(t, s.Sandbox+"/_sandbox/token", map[string]any{"customer": customer})), &signed))
	return signed.Token
}

// data is an answer's data.
func data(t *testing.T, answer string) string {
	t.Helper()
	var a struct{ Data json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(answer), &a))
	return string(a.Data)
}
