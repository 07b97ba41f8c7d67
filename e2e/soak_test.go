//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/demo/stack"
)

var soak = flag.Duration("soak", time.Minute, "how long TestSoak runs")

// Both channels answer for as long as it takes while the systems fail in every way:
// no wrong answer, no hang, and nothing left behind.
func TestSoak(t *testing.T) {
	s := start(t, "CACHE_HARD_TIMEOUT=1s")
	traffic(t, s, min(15*time.Second, *soak/2)) // warm: pools have grown, rooms of the cache are taken
	heal(t, s)
	idle(t)
	before := footprint()
	traffic(t, s, *soak)
	heal(t, s)
	idle(t)
	after := footprint()
	t.Logf("before %s; after %s", before, after)
	assert.LessOrEqual(t, after.goroutines, before.goroutines+5)
	assert.LessOrEqual(t, after.files, before.files+2*idleConnections)
	assert.Less(t, after.heap, before.heap+32<<20, "the heap is what it was, and what the cache holds")
}

// traffic asks both channels, changing what is broken every second.
func traffic(t *testing.T, s *stack.Stack, length time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	var skus []string
	for _, p := range s.Server().World.Products() {
		if p.Published {
			skus = append(skus, p.SKU)
		}
	}
	var sum tally
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				sum.ask(ctx, s, skus[rand.IntN(len(skus))], n)
			}
		})
	}
	wg.Go(func() { disturb(ctx, s) })
	wg.Wait()
	t.Logf("%d answers: %d complete, %d degraded, %d refused", sum.complete.Load()+sum.degraded.Load()+sum.refused.Load(),
		sum.complete.Load(), sum.degraded.Load(), sum.refused.Load())
	assert.Empty(t, sum.wrong, "wrong answers")
	assert.Positive(t, sum.complete.Load())
	if length > 30*time.Second {
		assert.Positive(t, sum.degraded.Load()+sum.refused.Load(), "the faults were felt")
	}
}

// disturb breaks another system another way every second.
func disturb(ctx context.Context, s *stack.Stack) {
	systems := []string{"pimcore", "elasticsearch", "odoo", "openloyalty", "magento"}
	modes := []string{"status", "hang", "reset", "truncate", "garbage", "drip"}
	for ctx.Err() == nil {
		s.Server().ClearFaults()
		_ = s.Server().SetFault(sandbox.Fault{
			System: systems[rand.IntN(len(systems))], Operation: "*", Mode: modes[rand.IntN(len(modes))],
			ErrorRate: 0.3, Status: http.StatusServiceUnavailable, LatencyMs: rand.IntN(50),
		})
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// tally counts answers by what they were.
type tally struct {
	complete, degraded, refused atomic.Int64

	mu    sync.Mutex
	wrong []string
}

func (c *tally) bad(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wrong) < 10 {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

func (c *tally) ask(ctx context.Context, s *stack.Stack, sku string, n int) {
	method, url, body := http.MethodGet, s.Mobile+"/v1/screens/products/"+sku, ""
	if n%2 == 0 {
		method, url = http.MethodPost, s.Web+"/graphql"
		body = `{"query":"{ product(sku: \"` + sku + `\") { sku name price { unit { amount } } availability { quantity } reviews { count } } }"}`
	}
	begin := time.Now()
	code, raw, err := exchange(ctx, method, url, body, // so many markets that not everything is warm
		"Accept-Language", []string{"en", "fr", "he", "th", "ar", "zh-Hant"}[rand.IntN(6)], "X-Currency", []string{"USD", "EUR", "GBP"}[rand.IntN(3)])
	switch spent := time.Since(begin); {
	case ctx.Err() != nil:
	case err != nil:
		c.bad("%s: %v", url, err)
	case spent > 6*time.Second:
		c.bad("%s took %s", url, spent)
	case code == http.StatusServiceUnavailable || code == http.StatusGatewayTimeout || code == http.StatusBadGateway:
		c.refused.Add(1)
	case code != http.StatusOK || !json.Valid(raw):
		c.bad("%s: %d: %.200s", url, code, raw)
	case strings.Contains(string(raw), `"product":null`):
		c.refused.Add(1)
	case !strings.Contains(string(raw), `"sku":"`+sku+`"`):
		c.bad("asked for %s: %.200s", sku, raw)
	case strings.Contains(string(raw), `"errors"`) || strings.Contains(string(raw), `"degraded"`):
		c.degraded.Add(1)
	default:
		c.complete.Add(1)
	}
}

func exchange(ctx context.Context, method, url, body string, headers ...string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	return res.StatusCode, raw, err
}

// idleConnections is by how many the pools may differ between two moments. Both ends
// are in this process.
const idleConnections = 20

// print of the process's belongings.
type print struct {
	goroutines, files int
	heap              uint64
}

func (p print) String() string {
	return fmt.Sprintf("%d goroutines, %d files, %d KiB heap", p.goroutines, p.files, p.heap>>10)
}

func footprint() print {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd")
	return print{goroutines: working(), files: len(files), heap: m.HeapAlloc}
}

// working counts the goroutines that are not an end of an idle connection: how many of
// those there are is the pools' business.
func working() int {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	n := 0
	for _, stack := range strings.Split(string(stacks), "\n\n") {
		if !strings.Contains(stack, "net/http.(*persistConn)") && !strings.Contains(stack, "net/http.(*conn).serve") && !strings.Contains(stack, "fasthttp.(*workerPool)") {
			n++
		}
	}
	return n
}

// idle lets what is under way end: the goroutines stop growing fewer.
func idle(t *testing.T) {
	t.Helper()
	client.CloseIdleConnections()
	last, same := 0, 0
	require.Eventually(t, func() bool {
		n := runtime.NumGoroutine()
		if n == last {
			same++
		} else {
			last, same = n, 0
		}
		return same > 10
	}, 40*time.Second, 200*time.Millisecond)
}
