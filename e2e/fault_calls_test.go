//go:build e2e

package e2e

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/schema/commerce"
)

var (
	faultCalls = flag.Int("fault-calls", 10_000, "calls that TestN21_SoakOfCallsUnderRandomFaults makes")
	faultSeed  = flag.Uint64("fault-seed", 21, "seed of its faults and calls")
)

// Calls of every connector, over real sockets, while every system fails in every way the
// sandbox knows: each call ends in time with a value or a typed error, and when it is
// over the process holds what it held before.
func TestN21_SoakOfCallsUnderRandomFaults(t *testing.T) {
	sandbox := newBox(t)
	r := &callRun{t: t, base: sandbox.url, calls: portCalls(openSystems(t, sandbox.url))}
	r.run(max(*faultCalls/10, 1000), *faultSeed) // pools have grown, what the connectors remember is there
	before := settled(sandbox)
	r.run(*faultCalls, *faultSeed+1)
	var after print
	if !assert.Eventually(t, func() bool {
		after = settled(sandbox)
		return after.goroutines <= before.goroutines+5 && after.files <= before.files+5 && after.heap <= before.heap+max(before.heap/50, 256<<10)
	}, 30*time.Second, 500*time.Millisecond) {
		t.Log(stacks())
	}
	t.Logf("seed %d: %d calls answered, %d failed; slowest %s; before %s; after %s", *faultSeed, r.good.Load(), r.bad.Load(), time.Duration(r.slowest.Load()), before, after)
	assert.Positive(t, r.good.Load())
	assert.Positive(t, r.bad.Load())
}

// box is a sandbox in a process of its own.
type box struct {
	t   *testing.T
	bin string
	url string
	cmd *exec.Cmd
}

func newBox(t *testing.T) *box {
	t.Helper()
	b := &box{t: t, bin: build(t, "./connectors/sandbox/cmd/sandbox"), url: "http://" + free(t, 1)[0]}
	b.start()
	t.Cleanup(b.stop)
	return b
}

func (b *box) start() {
	b.t.Helper()
	b.cmd = exec.Command(b.bin)
	b.cmd.Env = []string{"SANDBOX_ADDR=" + strings.TrimPrefix(b.url, "http://")}
	require.NoError(b.t, b.cmd.Start())
	await(b.t, b.url+"/_sandbox/healthz")
}

func (b *box) stop() {
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
}

const (
	faultAttempt = 100 * time.Millisecond
	faultTimeout = 300 * time.Millisecond
)

// openSystems connects to every system of the sandbox at base, with little patience.
func openSystems(t *testing.T, base string) map[string]commerce.Ports {
	t.Helper()
	vars := config.Map(sandbox.Environ(base))
	systems := map[string]commerce.Ports{}
	for system, role := range roles {
		vars[role+"_ATTEMPT_TIMEOUT"], vars[role+"_TIMEOUT"] = faultAttempt.String(), faultTimeout.String()
		kind, err := connectors.Find(system)
		require.NoError(t, err)
		settings, err := kind.Read(func(target any) error { return config.DecodeMap(vars, role+"_", target) })
		require.NoError(t, err)
		systems[system], err = settings.Open(transport.Deps{Log: slog.New(slog.DiscardHandler), Role: strings.ToLower(role), Registry: transport.NewRegistry()})
		require.NoError(t, err)
	}
	return systems
}

// portCalls are the operations that are called at random.
func portCalls(systems map[string]commerce.Ports) []func(context.Context, *rand.Rand) error {
	pim, search, erp, crm, shop := systems["pimcore"], systems["elasticsearch"], systems["odoo"], systems["openloyalty"], systems["magento"]
	skus := func(r *rand.Rand) []commerce.SKU {
		all := []commerce.SKU{"HL-U509-R", "HL-U509", "BK-R93R-62", "CA-1098", "LJ-0192-S", "SO-B909-M"}
		return all[:1+r.IntN(len(all))]
	}
	who := commerce.Principal{Tenant: "default", Subject: someCustomer, Email: "rania.andersen11000@example.test", EmailVerified: true}
	market := commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}
	guest := commerce.Shopper{Market: market}
	return []func(context.Context, *rand.Rand) error{
		func(ctx context.Context, r *rand.Rand) error {
			_, err := pim.Catalog.Products(ctx, market, skus(r))
			return err
		},
		func(ctx context.Context, _ *rand.Rand) error { _, err := pim.Categories.Tree(ctx, market); return err },
		func(ctx context.Context, r *rand.Rand) error {
			_, err := pim.Reviews.Reviews(ctx, market, skus(r))
			return err
		},
		func(ctx context.Context, _ *rand.Rand) error {
			_, err := search.Search.Search(ctx, market, commerce.SearchQuery{Text: "helmet", First: 5})
			return err
		},
		func(ctx context.Context, r *rand.Rand) error {
			_, err := erp.Inventory.Availability(ctx, market, skus(r))
			return err
		},
		func(ctx context.Context, r *rand.Rand) error {
			_, err := erp.Pricing.Prices(ctx, market, "", []commerce.PriceKey{{SKU: skus(r)[0], Quantity: 1}})
			return err
		},
		func(ctx context.Context, _ *rand.Rand) error { _, err := crm.Customers.Customer(ctx, who); return err },
		func(ctx context.Context, _ *rand.Rand) error { _, err := crm.Loyalty.Loyalty(ctx, who); return err },
		func(ctx context.Context, _ *rand.Rand) error { _, err := shop.Carts.Create(ctx, guest); return err },
	}
}

// callRun makes calls from many callers and judges how each ends.
type callRun struct {
	t         *testing.T
	base      string
	calls     []func(context.Context, *rand.Rand) error
	good, bad atomic.Int64
	slowest   atomic.Int64
}

const callers = 32

func (r *callRun) run(n int, seed uint64) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	var disturbing sync.WaitGroup
	disturbing.Go(func() { r.disturb(ctx, rand.New(rand.NewPCG(seed, 0))) })
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			die := rand.New(rand.NewPCG(seed, uint64(i+1)))
			for left.Add(-1) >= 0 {
				r.one(ctx, die)
			}
		})
	}
	wg.Wait()
	cancel()
	disturbing.Wait()
	client.CloseIdleConnections()
}

// one makes a call; a part of the callers leave early.
func (r *callRun) one(ctx context.Context, die *rand.Rand) {
	if die.IntN(10) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(1+die.IntN(30))*time.Millisecond)
		defer cancel()
	}
	begin := time.Now()
	err := r.calls[die.IntN(len(r.calls))](ctx, die)
	took := time.Since(begin)
	for {
		old := r.slowest.Load()
		if int64(took) <= old || r.slowest.CompareAndSwap(old, int64(took)) {
			break
		}
	}
	// A port operation may be some upstream calls, one after the other.
	assert.Less(r.t, took, 4*faultTimeout+time.Second, "a call hung")
	if err == nil {
		r.good.Add(1)
		return
	}
	r.bad.Add(1)
	assert.True(r.t, commerce.KindOf(err) != nil || errors.Is(err, context.Canceled), "an error of no kind: %v", err)
}

// disturb gives every system another fault again and again.
func (r *callRun) disturb(ctx context.Context, die *rand.Rand) {
	modes := []string{"status", "status", "hang", "reset", "truncate", "garbage", "drip"}
	statuses := []string{"500", "502", "503", "504", "429", "404", "401"}
	rates := []string{"0", "0.05", "0.1", "0.1", "0.2", "0.2", "0.3", "0.3", "0", "0", "1"} // mostly too few to open a breaker
	pause := time.NewTicker(20 * time.Millisecond)
	defer pause.Stop()
	for ctx.Err() == nil {
		for system := range roles {
			mode, status := modes[die.IntN(len(modes))], ""
			if mode == "status" {
				status = `"status":` + statuses[die.IntN(len(statuses))] + `,`
			}
			latency := []string{"0", "1", "2", "10"}[die.IntN(4)]
			_, _, _ = exchange(ctx, http.MethodPost, r.base+"/_sandbox/faults",
				`{"system":"`+system+`","operation":"*",`+status+`"mode":"`+mode+`","latencyMs":`+latency+`,"jitter":"pareto","errorRate":`+rates[die.IntN(len(rates))]+`}`)
			select {
			case <-ctx.Done():
			case <-pause.C:
			}
		}
	}
	_, _, _ = exchange(context.WithoutCancel(ctx), http.MethodDelete, r.base+"/_sandbox/faults", "")
}

// settled is what the process holds without a connection to the sandbox: a new one of
// those has none.
func settled(b *box) print {
	b.t.Helper()
	b.stop()
	b.start()
	client.CloseIdleConnections()
	runtime.GC()
	return footprint()
}

func stacks() string {
	buffer := make([]byte, 1<<20)
	return string(buffer[:runtime.Stack(buffer, true)])
}
