// Package spoiltest shows that a connector takes no answer that does not fit. It
// stands between the connector and the sandbox, and gives every call of every
// operation each of the ways in which an answer of status 200 can be none.
package spoiltest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// Connector is what is shown of one kind.
type Connector struct {
	System string // as the sandbox mounts it
	// Name names a call, as the dialect does for faults and counts.
	Name func(r *http.Request, body []byte) string
	// Connect makes the connector of the system at base, with one attempt a call and no hedges.
	Connect func(base string, deps transport.Deps) (commerce.Ports, error)
	// Operations call each operation once. All that the traits declare must be there.
	Operations map[commerce.Operation]Operation
	// Inside are the system's own ways to report a failure with status 200, by name.
	Inside map[string]string
	// Unread tells of a call that its answer is only decoded, and looked at no further.
	Unread func(call string) bool
	// Spared tells of a call that the operation does without when it fails.
	Spared func(op commerce.Operation, call string) bool
}

// Operation prepares what an operation needs with ports that are not spoiled, and
// answers how to call it.
type Operation func(t testing.TB, clean commerce.Ports, f commercetest.Fixture) func(context.Context, commerce.Ports) error

// Run spoils every answer of every operation. Each must end as a typed error of
// reason bad-answer, counted as such, and many of them open the circuit breaker.
func Run(t *testing.T, c Connector) {
	t.Helper()
	ports, err := c.Connect("http://127.0.0.1:1", quiet())
	require.NoError(t, err)
	for op := range ports.Traits {
		require.Contains(t, c.Operations, op, "an operation without a test")
	}
	for op, call := range c.Operations {
		require.Contains(t, ports.Traits, op)
		t.Run(string(op), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, c, op, call)
			for _, name := range r.calls(t) {
				r.spoilAll(t, name)
			}
			r.openBreaker(t)
		})
	}
}

func quiet() transport.Deps { return transport.Deps{Log: slog.New(slog.DiscardHandler)} }

// rig is one operation in front of a sandbox of its own.
type rig struct {
	Connector

	op      commerce.Operation
	prepare Operation
	box     *sandboxtest.Sandbox
	clean   commerce.Ports
	front   *front
	base    string
}

func newRig(t *testing.T, c Connector, op commerce.Operation, call Operation) *rig {
	t.Helper()
	box := sandboxtest.Start(t)
	f := &front{sandbox: box.Server.Handler(), system: "/" + c.System, name: c.Name}
	web := httptest.NewServer(f)
	web.Config.SetKeepAlivesEnabled(false) // each connector has a pool of its own
	t.Cleanup(web.Close)
	r := &rig{Connector: c, op: op, prepare: call, box: box, front: f, base: web.URL + f.system}
	var err error
	r.clean, err = c.Connect(box.URL+f.system, quiet())
	require.NoError(t, err)
	return r
}

// calls are the names of what the operation asks the system, in order, each once.
func (r *rig) calls(t *testing.T) []string {
	t.Helper()
	ports, err := r.Connect(r.base, quiet())
	require.NoError(t, err)
	call := r.prepare(t, r.clean, r.box.Fixture())
	r.front.set("", spoiling{})
	require.NoError(t, call(t.Context(), ports), "not spoiled yet")
	names := r.front.taken()
	require.NotEmpty(t, names)
	return names
}

func (r *rig) spoilAll(t *testing.T, name string) {
	t.Helper()
	all := spoilings()
	for inside, body := range r.Inside {
		all = append(all, spoiling{inside, true, labelled(body)})
	}
	spoiled := 0
	for _, s := range all {
		if s.valid && r.Unread != nil && r.Unread(name) {
			continue
		}
		if r.spoil(t, name, s) {
			spoiled++
		}
	}
	assert.Positive(t, spoiled, name)
}

// spoil runs the operation with one call's answers spoiled. False means that the
// answer was such that there was nothing to spoil.
func (r *rig) spoil(t *testing.T, name string, s spoiling) bool {
	t.Helper()
	var log buffer
	reader := metric.NewManualReader()
	ports, err := r.Connect(r.base, transport.Deps{
		Log:   slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Meter: metric.NewMeterProvider(metric.WithReader(reader)),
	})
	require.NoError(t, err)
	call := r.prepare(t, r.clean, r.box.Fixture())
	r.front.set(name, s)
	err = call(t.Context(), ports)
	if !r.front.lift() {
		return false
	}
	what := name + ": " + s.name
	if r.Spared == nil || !r.Spared(r.op, name) {
		r.check(t, err, what)
	}
	assert.Positive(t, badAnswers(t, reader, r.op), "%s is counted", what)
	assert.Contains(t, log.String(), `"reason":"bad-answer"`, what)
	assert.NotContains(t, log.String(), Canary, what)
	return true
}

// check wants a typed error. A change that may have happened is never said to have failed.
func (r *rig) check(t *testing.T, err error, what string) {
	t.Helper()
	failed, ok := errors.AsType[*commerce.CallError](err)
	if !assert.True(t, ok, "%s: %v", what, err) {
		return
	}
	assert.Equal(t, r.System, failed.System, what)
	assert.Equal(t, r.op, failed.Operation, what)
	assert.Equal(t, commerce.ReasonBadAnswer, commerce.ReasonOf(err), "%s: %v", what, err)
	want := commerce.ErrUpstream
	if errors.Is(err, commerce.ErrOutcomeUnknown) {
		want = commerce.ErrUnavailable
	}
	assert.Equal(t, want, commerce.KindOf(err), "%s: %v", what, err)
	assert.NotContains(t, err.Error(), Canary, what)
}

// enough is after how many bad answers in a row a breaker has opened.
const enough = 25

// openBreaker has the operation's first call answered by a login page until the
// circuit breaker has enough of it.
func (r *rig) openBreaker(t *testing.T) {
	t.Helper()
	name := r.calls(t)[0]
	registry := transport.NewRegistry()
	ports, err := r.Connect(r.base, transport.Deps{Log: slog.New(slog.DiscardHandler), Registry: registry})
	require.NoError(t, err)
	call := r.prepare(t, r.clean, r.box.Fixture())
	r.front.set(name, spoilings()[0])
	defer r.front.lift()
	for range enough {
		if err = call(t.Context(), ports); commerce.ReasonOf(err) == commerce.ReasonBreakerOpen {
			break
		}
	}
	assert.Equal(t, commerce.ReasonBreakerOpen, commerce.ReasonOf(err), "%v", err)
	assert.Equal(t, commerce.ErrUnavailable, commerce.KindOf(err))
	assert.True(t, slices.ContainsFunc(registry.Systems()[0].Operations, func(o transport.OperationState) bool {
		return o.Operation == r.op && o.Breaker == "open"
	}), "that of one of the operation's requests")
}

// badAnswers is how often the operation's calls were counted as such.
func badAnswers(t *testing.T, reader metric.Reader, op commerce.Operation) int64 {
	t.Helper()
	var got metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.WithoutCancel(t.Context()), &got))
	var n int64
	for _, scope := range got.ScopeMetrics {
		for _, m := range scope.Metrics {
			sum, ok := m.Data.(metricdata.Sum[int64])
			if !ok || m.Name != "portico.upstream.calls" {
				continue
			}
			for _, point := range sum.DataPoints {
				outcome, _ := point.Attributes.Value("outcome")
				operation, _ := point.Attributes.Value("operation")
				if outcome.AsString() == string(commerce.ReasonBadAnswer) && operation.AsString() == string(op) {
					n += point.Value
				}
			}
		}
	}
	return n
}

// front passes calls on to the sandbox, and spoils the answers to one of them.
type front struct {
	sandbox http.Handler
	system  string
	name    func(*http.Request, []byte) string

	mu      sync.Mutex
	seen    []string
	target  string
	spoil   spoiling
	spoiled bool
}

// set begins a run in which the answers to target are spoiled.
func (f *front) set(target string, s spoiling) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen, f.target, f.spoil, f.spoiled = nil, target, s, false
}

// lift ends a run and tells whether an answer was spoiled.
func (f *front) lift() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.target = ""
	return f.spoiled
}

func (f *front) taken() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen
}

// wanted notes a call and answers how its answer is spoiled; nil when it is not.
func (f *front) wanted(name string) *spoiling {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Contains(f.seen, name) {
		f.seen = append(f.seen, name)
	}
	if name != f.target {
		return nil
	}
	s := f.spoil
	return &s
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	inner := r.Clone(r.Context())
	inner.URL.Path, inner.URL.RawPath = strings.TrimPrefix(r.URL.Path, f.system), strings.TrimPrefix(r.URL.RawPath, f.system)
	s := f.wanted(f.name(inner, body))
	if s == nil {
		f.sandbox.ServeHTTP(w, r)
		return
	}
	rec := httptest.NewRecorder()
	f.sandbox.ServeHTTP(rec, r)
	good := bytes.TrimSpace(rec.Body.Bytes())
	bad := s.of(bytes.Clone(good))
	if rec.Code < http.StatusMultipleChoices && (bad.contentType != jsonType || !sameJSON(good, bad.body)) {
		f.mu.Lock()
		f.spoiled = true
		f.mu.Unlock()
	}
	w.Header()["Content-Type"] = nil
	if bad.contentType != "" {
		w.Header().Set("Content-Type", bad.contentType)
	}
	_, _ = w.Write(bad.body)
}

// sameJSON tells whether a rewritten body says the same.
func sameJSON(a, b []byte) bool {
	same := func(v any) any { return v }
	return bytes.Equal(a, b) || bytes.Equal(rewritten(a, same), b)
}

// buffer is a log that goroutines may write to.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
