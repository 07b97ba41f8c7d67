//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
)

const (
	toxicRequestTimeout = 3 * time.Second
	// toxicMargin is what an answer may be late by while two cores do everything.
	toxicMargin = time.Second
)

// impatient keeps a poisoned request short.
func impatient() []string {
	list := []string{"REQUEST_TIMEOUT=" + toxicRequestTimeout.String(), "CACHE_HARD_TIMEOUT=1s", "PIM_PUBLIC_ASSET_URL=http://assets.example"}
	for _, role := range roles {
		list = append(list, role+"_ATTEMPT_TIMEOUT=600ms", role+"_TIMEOUT=1500ms", role+"_ALLOW_PRIVATE=true")
	}
	return list
}

// Toxiproxy's eight toxics before each of the five systems, while both channels are
// asked: no request hangs, no value is wrong, nothing is bought twice, and nothing is
// left behind.
func TestN21_EightToxics(t *testing.T) {
	healthy := start(t, "PIM_PUBLIC_ASSET_URL=http://assets.example")
	x := newToxics(t, healthy)
	r := &toxicRun{t: t, healthy: healthy, x: x, customer: bearer(t, healthy, someCustomer)}
	for _, p := range healthy.Server().World.Products() {
		if p.Published && p.SKU != orderedSKU {
			r.skus = append(r.skus, p.SKU)
		}
	}
	for _, toxic := range eightToxics {
		t.Run(toxic.kind, func(t *testing.T) { r.kind(t, toxic) })
	}
	t.Logf("%d answers: %d complete, %d incomplete; %d orders and %d lines attempted, %d and %d acknowledged; slowest %s",
		r.complete+r.incomplete, r.complete, r.incomplete, r.orders, r.lines, r.placed, r.added, r.slowest)
	assert.Positive(t, r.incomplete, "the toxics were felt")
	assert.Positive(t, r.complete)
}

// toxicRun counts what the run brought.
type toxicRun struct {
	t        *testing.T
	healthy  *stack.Stack
	x        *toxics
	skus     []string
	customer []string
	n        int // scenarios so far: each has its own product and carts

	mu                   sync.Mutex
	complete, incomplete int
	orders, lines        int
	placed, added        int
	slowest              time.Duration
}

// kind tries one toxic before each system, on channels that know nothing yet.
func (r *toxicRun) kind(t *testing.T, toxic toxic) {
	s, err := stack.Start(t.Context(), slices.Concat(anywhere, impatient(), r.x.environ()))
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Stop()) }()
	r.round(t, s, "", toxic) // pools and rooms are taken
	r.x.healAll()
	idle(t)
	before := footprint()
	for system := range roles {
		r.round(t, s, system, toxic)
		r.x.heal(system)
	}
	var after print
	within := false
	for begun := time.Now(); !within && time.Since(begun) < time.Minute; time.Sleep(250 * time.Millisecond) {
		r.x.healAll() // no idle connection counts
		client.CloseIdleConnections()
		after = footprint()
		within = after.goroutines <= before.goroutines+5 && after.files <= before.files+5
	}
	if !assert.True(t, within, "something is left behind") {
		t.Logf("before %s; after %s", before, after)
		t.Log(fds())
	}
}

// round makes all visits and two purchases at once while system is poisoned.
func (r *toxicRun) round(t *testing.T, s *stack.Stack, system string, toxic toxic) {
	t.Helper()
	r.n++
	locale := []string{"en", "fr", "he", "th", "ar", "zh-Hant"}[r.n%6]
	list := visits(r.skus[r.n*7%len(r.skus)], locale, r.customer)
	wants := make([]reply, len(list))
	for i, v := range list {
		require.Eventually(t, func() bool {
			wants[i], _ = v.on(t, r.healthy)
			return wants[i].Status == http.StatusOK && wants[i].at("errors") == nil && wants[i].at("degraded") == nil
		}, 30*time.Second, 10*time.Millisecond, "a healthy shop answers in full: %s", v.name)
	}
	purchases := []purchase{prepare(t, r.healthy, 2*r.n, true), prepare(t, r.healthy, 2*r.n+1, false)}
	if system != "" {
		r.x.poison(system, toxic)
	}
	var wg sync.WaitGroup
	for i, v := range list {
		wg.Go(func() {
			got, took := v.on(t, s)
			r.visited(t, fmt.Sprintf("%s, %s: %s", toxic.kind, system, v.name), took, v.wrong(got, wants[i]))
			r.count(got)
		})
	}
	numbers, said := make([]string, len(purchases)), make([]bool, len(purchases))
	for i, p := range purchases {
		what := fmt.Sprintf("%s, %s, web %t: ", toxic.kind, system, p.onTheWeb)
		wg.Go(func() {
			var took time.Duration
			numbers[i], took = p.place(t, s)
			r.visited(t, what+"order", took, nil)
		})
		wg.Go(func() {
			var took time.Duration
			said[i], took = p.add(t, s)
			r.visited(t, what+"line", took, nil)
		})
	}
	wg.Wait()
	for i, p := range purchases {
		r.bought(t, fmt.Sprintf("%s, %s, web %t", toxic.kind, system, p.onTheWeb), p, numbers[i], said[i])
	}
}

// visited judges one request: it ended in time and told nothing wrong.
func (r *toxicRun) visited(t *testing.T, what string, took time.Duration, wrong []string) {
	t.Helper()
	r.mu.Lock()
	r.slowest = max(r.slowest, took)
	r.mu.Unlock()
	assert.Less(t, took, toxicRequestTimeout+toxicMargin, "%s hung", what)
	assert.Empty(t, wrong, what)
}

func (r *toxicRun) count(got reply) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if got.Status == http.StatusOK && got.at("errors") == nil && len(decodedParts(got)) == 0 {
		r.complete++
	} else {
		r.incomplete++
	}
}

// bought looks at what the checkout itself has of a purchase.
func (r *toxicRun) bought(t *testing.T, what string, p purchase, number string, said bool) {
	t.Helper()
	r.orders, r.lines = r.orders+1, r.lines+1
	var orders []string
	for _, o := range r.healthy.Server().World.Orders() {
		if o.Email == p.email {
			orders = append(orders, o.Number)
		}
	}
	assert.LessOrEqual(t, len(orders), 1, "%s: ordered once", what)
	if number != "" {
		r.placed++
		assert.Equal(t, []string{number}, orders, "%s: the order that was told is there", what)
	}
	quantity := graphQL(t, r.healthy, `query C($id: ID!) { cart(id: $id) { quantity } }`, map[string]any{"id": p.adding}).at("data", "cart", "quantity")
	if said {
		r.added++
		assert.EqualValues(t, 1, quantity, "%s: the line that was told is there, once", what)
	} else {
		assert.Contains(t, []any{float64(0), float64(1)}, quantity, "%s: no line twice", what)
	}
}

// fds lists what this process has open.
func fds() []string {
	var list []string
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		target, _ := os.Readlink("/proc/self/fd/" + e.Name())
		list = append(list, target)
	}
	return list
}
