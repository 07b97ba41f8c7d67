package transport

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// SystemState is how one system stands now. Counts and quantiles are of the last
// 10 to 20 seconds.
type SystemState struct {
	System          string           `json:"system"` // the kind: "odoo"
	Role            string           `json:"role"`   // whose variables configure it: "erp"; empty when nobody said
	Limit           int              `json:"limit"`  // attempts at a time, as the bulkhead allows now
	InFlight        int              `json:"inFlight"`
	Queued          int              `json:"queued"`
	BudgetTokens    float64          `json:"budgetTokens"`    // of 20; retries and hedges only above 10
	HedgeTokens     float64          `json:"hedgeTokens"`     // hedges that were earned and not used
	CallsPerRequest float64          `json:"callsPerRequest"` // calls to this system for each request of a client; 0 without requests
	Operations      []OperationState `json:"operations"`      // those called so far, by name
}

// OperationState is how one operation of a system stands now. Latencies are those
// of attempts that were answered, in milliseconds; 0 without any, which JSON
// leaves out.
type OperationState struct {
	Operation   commerce.Operation `json:"operation"`
	Step        string             `json:"step,omitempty"`       // which of the requests that the operation takes; empty when there is only one
	Breaker     string             `json:"breaker"`              // closed, open or half-open
	NextProbeMs int64              `json:"nextProbeMs,omitzero"` // until an open breaker lets one attempt through
	P50Ms       float64            `json:"p50Ms,omitzero"`
	P95Ms       float64            `json:"p95Ms,omitzero"`
	P99Ms       float64            `json:"p99Ms,omitzero"`
	Calls       int64              `json:"calls"` // attempts that ended, however
	Failed      int64              `json:"failed"`
	ErrorRate   float64            `json:"errorRate"` // Failed of Calls, 0 to 1
}

// Registry is where a process's clients show their live state. It is safe for
// concurrent use; a nil one shows nothing.
type Registry struct {
	mu       sync.Mutex
	clients  []*Client
	requests eventCount
}

// NewRegistry makes an empty registry.
func NewRegistry() *Registry { return &Registry{} }

// ClientRequest counts a request that a client of the process made.
func (r *Registry) ClientRequest() {
	if r != nil {
		r.requests.add()
	}
}

// Systems is a snapshot of every system, by role.
func (r *Registry) Systems() []SystemState {
	states := []SystemState{}
	if r == nil {
		return states
	}
	requests := r.requests.count()
	for _, c := range r.list() {
		states = append(states, c.state(requests))
	}
	return states
}

func (r *Registry) add(c *Client) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clients = append(r.clients, c)
	slices.SortStableFunc(r.clients, func(a, b *Client) int { return strings.Compare(a.deps.Role, b.deps.Role) })
}

func (r *Registry) list() []*Client {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.clients)
}

// callsPerRequest is 0 when nobody asked for anything, or the process counts no requests.
func (c *Client) callsPerRequest(requests int64) float64 {
	if requests == 0 {
		return 0
	}
	return float64(c.calls.count()) / float64(requests)
}

func (c *Client) state(requests int64) SystemState {
	s := SystemState{
		System: c.system, Role: c.deps.Role,
		BudgetTokens: c.budget.left(), HedgeTokens: c.hedges.left(),
		CallsPerRequest: c.callsPerRequest(requests),
		Operations:      []OperationState{},
	}
	s.Limit, s.InFlight, s.Queued = c.bulkhead.stats()
	for _, op := range c.operations.list() {
		s.Operations = append(s.Operations, op.state())
	}
	return s
}

func (o *operation) state() OperationState {
	answered, failed := o.recent.counts()
	s := OperationState{
		Operation: o.name, Step: o.step, Breaker: o.breaker.state().String(), NextProbeMs: o.breaker.nextProbe().Milliseconds(),
		P50Ms: o.quantileMs(0.5), P95Ms: o.quantileMs(0.95), P99Ms: o.quantileMs(0.99),
		Calls: answered + failed, Failed: failed,
	}
	if s.Calls > 0 {
		s.ErrorRate = float64(failed) / float64(s.Calls)
	}
	return s
}

func (o *operation) quantileMs(q float64) float64 {
	took, _ := o.recent.quantile(q)
	return float64(took.Microseconds()) / 1000
}

// countWindow is how long a count's running window is; the one before counts too.
const countWindow = 10 * time.Second

// eventCount counts what happened in the last 10 to 20 seconds.
type eventCount struct {
	mu            sync.Mutex
	began         time.Time
	running, last int64
}

func (t *eventCount) add() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn()
	t.running++
}

func (t *eventCount) count() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn()
	return t.running + t.last
}

// turn begins a new window when the running one is over.
func (t *eventCount) turn() {
	now := time.Now()
	switch age := now.Sub(t.began); {
	case age < countWindow:
		return
	case age < 2*countWindow:
		t.last = t.running
	default:
		t.last = 0
	}
	t.began, t.running = now, 0
}

// nextProbe is the time until an open breaker lets an attempt through; 0 when it is closed.
func (b *breaker) nextProbe() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.is == breakerClosed {
		return 0
	}
	return max(0, b.next-time.Since(b.begun))
}
