// Package bffweb is the web channel: GraphQL for the web shop, composed on the
// fly from the systems that edge wires.
package bffweb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/bff-web/internal/graphhttp"
	"github.com/portico-bff/portico/bff-web/internal/graphiql"
	"github.com/portico-bff/portico/bff-web/internal/live"
	"github.com/portico-bff/portico/bff-web/internal/web"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/clientip"
	"github.com/portico-bff/portico/edge/limits"
	"github.com/portico-bff/portico/edge/listener"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/schema/commerce"
)

//go:generate go tool gqlgen generate

// Route is where the API is.
const Route = "/graphql"

// queryCacheSize is how many parsed queries are kept: a shop has some hundreds.
// The largest that the limits admit take some 150 KB each, and anyone may send
// them: this many are less than 64 MB.
const queryCacheSize = 250

// App is the web channel.
type App struct {
	backend   *edge.Backend
	published *documents.Store
	desk      *live.Desk // nil: there are no subscriptions
	listen    Listen
	handler   http.Handler
	ready     chan struct{}
	public    atomic.Pointer[net.TCPAddr]
	admin     atomic.Pointer[net.TCPAddr]
}

// New wires the channel. No upstream is called and none needs to be up.
func New(ctx context.Context, cfg Config) (*App, error) {
	backend, err := edge.New(ctx, cfg.Config, "web")
	if err != nil {
		return nil, err
	}
	backend.Log.LogAttrs(ctx, slog.LevelInfo, "configuration of the web channel", cfg.own()...)
	published, err := publications(ctx, backend, cfg)
	if err != nil {
		return nil, errors.Join(err, backend.Close(ctx))
	}
	clients, err := clientip.New(cfg.RateLimit.Proxies)
	if err != nil {
		published.Close()
		return nil, errors.Join(err, backend.Close(ctx))
	}
	desk, err := live.NewDesk(cfg.Live, live.Deps{Hub: backend.Watch, Meter: backend.Telemetry.Meter()})
	if err != nil {
		published.Close()
		return nil, errors.Join(err, backend.Close(ctx))
	}
	s := stack{Backend: backend, verifier: backend.Identity, published: published, desk: desk, clients: clients}
	return &App{
		backend: backend, published: published, desk: desk, listen: cfg.Listen,
		handler: routes(s, cfg), ready: make(chan struct{}),
	}, nil
}

// stack is what requests are answered with.
type stack struct {
	*edge.Backend

	verifier  web.Verifier
	published *documents.Store
	desk      *live.Desk
	clients   *clientip.Resolver
}

// routes is the whole stack, from the socket to GraphQL. Of cfg it reads what is the web
// channel's own.
func routes(b stack, cfg Config) http.Handler {
	transport, exec := graphQL(b, cfg)
	places := web.NewPlaces(b.Config.Limits.MaxInFlight) // of both: what asks for events may turn out to be a query
	answering := web.Stack(transport.Handler(exec), api(b, Route,
		web.Deadline(b.Config.Limits.RequestTimeout),
		web.ReadBody(limits.MaxGraphQLBody),
		places.InFlight,
	)...)
	// A stream has neither the deadline nor the place of a request that is answered at once:
	// once it is open, the desk bounds it.
	streaming := web.Stack(transport.Events(exec), api(b, LiveRoute,
		web.Aside,
		web.Recover(b.Log),
		web.ReadBody(limits.MaxGraphQLBody),
		places.InFlight,
	)...)
	sockets := web.Stack(transport.Sockets(exec),
		web.RequestID,
		web.Observe(b.Telemetry, LiveRoute),
		web.Recover(b.Log),
		web.Vary,
		web.NewPlaces(max(cfg.Live.Most, 1)).InFlight,
		web.OwnSites(b.CORS),
		web.LimitAddress(b.RateLimit),
		web.Counted(b.ClientRequest),
	)
	if b.Answers != nil {
		quick := &web.Quick{
			Route: Route, Answers: transport, Telemetry: b.Telemetry, Log: b.Log, Places: places,
			CORS: b.CORS, Limiter: b.RateLimit, Markets: b.Markets, Counted: b.ClientRequest,
		}
		answering = quick.Before(answering)
	}
	mux := http.NewServeMux()
	mux.Handle(Route, answering)
	pages(mux, b.Backend, cfg)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != Route:
			mux.ServeHTTP(w, r)
		case graphhttp.Upgrades(r.Header):
			sockets.ServeHTTP(w, r)
		case graphhttp.AcceptsEvents(r.Header):
			streaming.ServeHTTP(w, r)
		default: // as nearly all do
			answering.ServeHTTP(w, r)
		}
	})
}

// LiveRoute is what logs and metrics call streams of answers: they take hours, and are not
// to be counted among requests.
const LiveRoute = Route + " live"

// api is what every request passes, in this order; bounds are what it may take.
func api(b stack, route string, bounds ...web.Middleware) []web.Middleware {
	list := []web.Middleware{
		web.RequestID,
		web.Trace(b.Telemetry, route),
		web.Observe(b.Telemetry, route),
		web.Recover(b.Log),
		web.Vary,
		web.CloseChunked,
	}
	list = append(append(list, bounds...), web.CORS(b.CORS))
	if b.Config.Development() {
		list = append(list, graphiql.Page)
	}
	return append(list,
		web.CSRF(b.CORS),
		web.LimitAddress(b.RateLimit),
		web.Authenticate(b.verifier),
		web.LimitCustomer,
		web.Market(b.Markets),
		web.Counted(b.ClientRequest),
	)
}

// graphQL is the one transport and the executor of what is not run as it was compiled.
func graphQL(b stack, cfg Config) (*graphhttp.Transport, graphql.GraphExecutor) {
	resolver := &graph.Resolver{Ports: b.Ports, Orders: b.Orders, Idempotency: b.Idempotency, Log: b.Log}
	schema := generated.NewExecutableSchema(generated.Config{Resolvers: resolver})
	bounds := bounds(b.Config)
	bounds.Calls = cfg.Queries.Calls

	transport := &graphhttp.Transport{
		Schema: schema.Schema(), Documents: b.published, Limits: bounds, Ports: b.Ports, Group: b.Markets.PriceGroup,
		Observe: web.NoteOperation, Fault: resolver.LogInternal, Checked: lru.New[bool](queryCacheSize),
		Tracing: graphhttp.NewTracing(b.Config.Development(), cfg.Trace.Secret, graphhttp.TracingDeps{Log: b.Log, Meter: b.Telemetry.Meter()}),
		Began:   web.Began, Made: web.NoteMade,
		Compiled: resolver.Compiled(schema.Schema(), queryCacheSize),
		Answers:  b.Answers, Answered: web.NoteAnswer, ShowCost: b.Config.Development(), TellLimits: web.TellLimits, TooMany: web.TooMany, Surrogates: b.Config.Cache.SurrogateKeyBytes,
		Live: graphhttp.Live{
			Desk: b.desk, Timeout: b.Config.Limits.RequestTimeout, Verify: b.verifier.Verify,
			Address: b.address, Market: b.market, Stay: web.Stay, Ended: web.NoteEnd,
		},
	}
	return transport, executing(schema, resolver, bounds)
}

// market is where a WebSocket's client shops.
func (s stack) market(said http.Header) (commerce.Market, error) {
	return s.Markets.Resolve(market.Hints{
		Channel: said.Get("X-Channel"), AcceptLanguage: said.Get("Accept-Language"), Currency: said.Get("X-Currency"), Country: said.Get("X-Country"),
	})
}

// address is where a request comes from, as far as the proxies that are trusted tell.
func (s stack) address(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return s.clients.Of(peer, r.Header[clientip.Field]).String()
}

// executing is the executor of what is not run as it was compiled.
func executing(schema graphql.ExecutableSchema, resolver *graph.Resolver, bounds graphhttp.Limits) *executor.Executor {
	exec := executor.New(schema)
	exec.SetQueryCache(graphhttp.Queries{Cache: lru.New[*ast.QueryDocument](queryCacheSize)})
	exec.SetParserTokenLimit(bounds.Tokens)
	exec.SetDisableSuggestion(true)
	exec.SetDefaultRulesFn(graph.Rules)
	exec.SetErrorPresenter(resolver.Present)
	exec.SetRecoverFunc(resolver.Recover)
	return exec
}

// Handler answers the channel's public requests.
func (a *App) Handler() http.Handler { return a.handler }

// Backend is what the channel serves from.
func (a *App) Backend() *edge.Backend { return a.backend }

// Ready is closed once both addresses are listened on.
func (a *App) Ready() <-chan struct{} { return a.ready }

// Addr is where the API listens, or empty before [App.Ready].
func (a *App) Addr() string { return text(a.public.Load()) }

// AdminAddr is where health and metrics are, or empty before [App.Ready].
func (a *App) AdminAddr() string { return text(a.admin.Load()) }

func text(addr *net.TCPAddr) string {
	if addr == nil {
		return ""
	}
	return addr.String()
}

// Serve listens and answers until ctx ends, then lets requests in flight finish.
// It answers nil after a graceful stop, and releases the backend in any case.
func (a *App) Serve(ctx context.Context) error {
	public := server(a.handler)
	admin := server(a.adminRoutes())
	stopped := make(chan error, 3)
	err := errors.Join(
		serve(ctx, public, a.listen.Addr, &a.public, stopped),
		serve(ctx, admin, a.listen.AdminAddr, &a.admin, stopped),
		a.backend.Events.Listen(ctx),
	)
	if err == nil {
		go func() { // ends with the backend
			if err := a.backend.Events.Serve(ctx); err != nil {
				stopped <- err
			}
		}()
		close(a.ready)
		select {
		case <-ctx.Done():
		case err = <-stopped:
		}
	}
	return errors.Join(err, a.stop(ctx, public, admin))
}

// stop drains: readiness goes first, then new connections, then those in flight.
func (a *App) stop(ctx context.Context, public, admin *http.Server) error {
	limit := a.backend.Config.Limits
	a.backend.Drain()
	if a.public.Load() != nil && limit.DrainDelay > 0 {
		time.Sleep(limit.DrainDelay)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit.DrainTimeout)
	defer cancel()
	err := errors.Join(a.desk.Close(ctx), public.Shutdown(ctx))
	if err != nil {
		err = errors.Join(err, public.Close())
	}
	return errors.Join(err, admin.Shutdown(ctx), a.Close(ctx))
}

// server has every timeout set: a slow client costs a socket for seconds, no more.
func server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, MaxHeaderBytes: limits.MaxHeaderBytes,
		ReadHeaderTimeout: 2 * time.Second, ReadTimeout: 5 * time.Second,
		WriteTimeout: 15 * time.Second, IdleTimeout: 60 * time.Second,
	}
}

// serve listens on addr and answers in the background.
func serve(ctx context.Context, s *http.Server, addr string, at *atomic.Pointer[net.TCPAddr], stopped chan<- error) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", addr, err)
	}
	tcp, _ := ln.Addr().(*net.TCPAddr)
	at.Store(tcp)
	go func() {
		if err := s.Serve(listener.SettingLate(ln)); !errors.Is(err, http.ErrServerClosed) {
			stopped <- err
		}
	}()
	return nil
}
