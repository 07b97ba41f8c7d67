package web

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/metric"

	"github.com/portico-bff/portico/bff-mobile/internal/problem"
	"github.com/portico-bff/portico/edge/limits"
	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/schema/commerce"
)

// Gate refuses requests that the channel cannot serve in time, before anything is done for
// them: with 503, and when to come back. It counts what is served, and what waits in line.
type Gate struct {
	gate    *limits.Gate
	refused metric.Int64Counter
	log     *slog.Logger

	told   atomic.Int64 // Unix seconds of the last line about it
	untold atomic.Int64 // refused since then

	head, tail []byte // of the refusal's body, around the request's id
}

// NewGate makes a gate that lets most requests in at once, and has them wait in line while the
// process is late by lateFrom. What is served, what waits and what was refused are
// http.server.active_requests, portico.requests.waiting and portico.requests.refused.
func NewGate(most int, lateFrom time.Duration, meters metric.MeterProvider, log *slog.Logger) (*Gate, error) {
	g := &Gate{log: log, gate: limits.NewGate(limits.GateConfig{
		Most: most, LateFrom: lateFrom, Process: limits.ThisProcess(),
	})}
	const mark = "~" // stands for the request's id
	refusal := problem.From(&commerce.CallError{
		System: "mobile", Kind: commerce.ErrUnavailable, Reason: commerce.ReasonBulkheadFull, RetryAfter: time.Second,
	}, mark)
	g.head, g.tail, _ = bytes.Cut(refusal.JSON(), []byte(mark))
	meter := meters.Meter("github.com/portico-bff/portico/bff-mobile")
	var err error
	if g.refused, err = meter.Int64Counter("portico.requests.refused", metric.WithUnit("{request}"),
		metric.WithDescription("Requests refused because too many were served at once.")); err != nil {
		return nil, err
	}
	active, activeErr := meter.Int64ObservableGauge("http.server.active_requests", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that are served now; what is kept and pages of our own are not counted."))
	waiting, waitingErr := meter.Int64ObservableGauge("portico.requests.waiting", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that wait in line until the process has time for them."))
	_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		load := g.gate.Load()
		o.ObserveInt64(active, int64(load.Inside))
		o.ObserveInt64(waiting, int64(load.Waiting))
		return nil
	}, active, waiting)
	return g, errors.Join(activeErr, waitingErr, err)
}

// Close refuses who waits in line, and waits until nothing of the gate runs any more.
func (g *Gate) Close() { g.gate.Close() }

// Pressure is how much of what may be served at once is: 0 is none of it, 1 or more all.
func (g *Gate) Pressure() float64 { return g.gate.Load().Pressure }

// serve has next serve a request, or refuses it.
func (g *Gate) serve(c *fasthttp.RequestCtx, h *head, next fasthttp.RequestHandler) {
	class := classOf(c)
	if !g.gate.Enter(class) {
		g.refuse(c, h)
		return
	}
	defer g.gate.Leave(class)
	next(c)
}

func (g *Gate) refuse(c *fasthttp.RequestCtx, h *head) {
	id := requestid.New(viewed(h.first[fieldRequestID]))
	header := &c.Response.Header
	tellRequest(header, id)
	set(header, fasthttp.HeaderRetryAfter, "1")
	set(header, fasthttp.HeaderCacheControl, "no-store")
	header.SetContentType(problem.ContentType)
	c.Response.SetStatusCode(fasthttp.StatusServiceUnavailable)
	body := make([]byte, 0, len(g.head)+len(id)+len(g.tail))
	c.Response.SetBodyRaw(append(append(append(body, g.head...), id...), g.tail...))
	g.refused.Add(context.Background(), 1)
	g.tell(c.Time())
}

// tell logs what is refused, once a second: a line for each would be work in the wrong moment.
func (g *Gate) tell(now time.Time) {
	g.untold.Add(1)
	last := g.told.Load()
	if now.Unix() == last || !g.told.CompareAndSwap(last, now.Unix()) {
		return
	}
	load := g.gate.Load()
	g.log.LogAttrs(context.Background(), slog.LevelWarn, "too many requests at once; refused",
		slog.String("requests", strconv.FormatInt(g.untold.Swap(0), 10)), slog.Int("inFlight", load.Inside), slog.Int("waiting", load.Waiting))
}
