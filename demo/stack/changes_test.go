package stack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/demo/stack"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreTopFunction("internal/poll.runtime_pollWait"),
		goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"),
		// fasthttp has one clock a process, and its workers' sweeper sleeps for up to 30 s after the server has stopped.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	)
}

var anywhere = []string{
	"SANDBOX_ADDR=127.0.0.1:0", "WEB_ADDR=127.0.0.1:0", "WEB_ADMIN_ADDR=127.0.0.1:0", "MOBILE_ADDR=127.0.0.1:0", "MOBILE_ADMIN_ADDR=127.0.0.1:0",
	"LOG_LEVEL=error", "REQUEST_TIMEOUT=20s", "CACHE_HARD_TIMEOUT=20s", // the machine may be busy
	"PIM_ATTEMPT_TIMEOUT=20s", "SEARCH_ATTEMPT_TIMEOUT=20s", "ERP_ATTEMPT_TIMEOUT=20s", "CRM_ATTEMPT_TIMEOUT=20s", "CHECKOUT_ATTEMPT_TIMEOUT=20s",
	"PIM_TIMEOUT=20s", "SEARCH_TIMEOUT=20s", "ERP_TIMEOUT=20s", "CRM_TIMEOUT=20s", "CHECKOUT_TIMEOUT=20s",
}

func start(t *testing.T, environ ...string) *stack.Stack {
	t.Helper()
	s, err := stack.Start(context.WithoutCancel(t.Context()), append(append([]string{}, anywhere...), environ...))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Stop()) })
	return s
}

// post sends JSON and answers the body of a success.
func post(t *testing.T, url string, body any) string {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(text))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	return read(t, request)
}

func read(t *testing.T, request *http.Request) string {
	t.Helper()
	answer, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	defer func() { assert.NoError(t, answer.Body.Close()) }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Less(t, answer.StatusCode, 300, "%s", body)
	return string(body)
}

// seen is what each channel shows of a product.
func seen(t *testing.T, s *stack.Stack, sku string) map[string]string {
	t.Helper()
	query := fmt.Sprintf(`{ product(sku: %q) { name price { unit { formatted } } availability { quantity } } }`, sku)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Mobile+"/v1/screens/products/"+sku, nil)
	require.NoError(t, err)
	return map[string]string{
		"web":    post(t, s.Web+"/graphql", map[string]string{"query": query}),
		"mobile": read(t, request),
	}
}

// shows tells whether both channels show all of texts.
func shows(answers map[string]string, texts ...string) bool {
	for _, answer := range answers {
		for _, text := range texts {
			if !strings.Contains(answer, text) {
				return false
			}
		}
	}
	return true
}

// What changes in the systems is seen in both channels at once, though both had kept it.
func TestAChangeInTheWorldIsSeenInBothChannelsWithinASecond(t *testing.T) {
	t.Parallel()
	for name, environ := range map[string]func(t *testing.T) []string{
		"with Redis": func(t *testing.T) []string {
			t.Helper()
			return []string{"REDIS_URL=redis://" + miniredis.RunT(t).Addr()}
		},
		"without Redis": func(*testing.T) []string { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, environ(t)...)
			const sku = "BK-R93R-44"
			calls := func() int {
				n := 0
				for _, operations := range s.Server().Calls() {
					for _, called := range operations {
						n += called
					}
				}
				return n
			}
			require.Eventually(t, func() bool {
				asked := calls()
				seen(t, s, sku)
				return calls() == asked
			}, time.Minute, time.Millisecond, "both channels answer from their caches")

			var took []time.Duration
			for i, change := range []struct {
				sent  map[string]any
				shown string
			}{
				{map[string]any{"sku": sku, "price": "1234.00"}, "1,234.00"},
				{map[string]any{"sku": sku, "name": "A bicycle of another name"}, "A bicycle of another name"},
				{map[string]any{"sku": sku, "stock": 7}, `"quantity":7`},
				{map[string]any{"sku": sku, "price": 1111.5, "name": "Yet another", "stock": 3}, "1,111.50"},
			} {
				require.False(t, shows(seen(t, s, sku), change.shown), i)
				post(t, s.Sandbox+"/_sandbox/world", change.sent)
				begun := time.Now()
				require.Eventually(t, func() bool { return shows(seen(t, s, sku), change.shown) }, 30*time.Second, 5*time.Millisecond, "%v", change.sent)
				took = append(took, time.Since(begun))
			}
			assert.Less(t, slices.Min(took), time.Second, "a busy machine makes some of them late: %v", took)
			require.True(t, shows(seen(t, s, sku), "1,111.50", "Yet another", `"quantity":3`))
		})
	}
}
