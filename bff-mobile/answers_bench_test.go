package bffmobile

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/rest"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/bff-mobile/screen"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/benchtest"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/schema/commerce"
)

// benchMarket is the market, and nobody the caller, of every request.
type benchMarket struct{}

func (benchMarket) Resolve(market.Hints) (commerce.Market, error) {
	return commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}, nil
}

func (benchMarket) PriceGroup(commerce.Market, commerce.Principal) commerce.PriceGroup {
	return "retail"
}

func (benchMarket) Verify(context.Context, string) (commerce.Principal, error) {
	return commerce.Principal{Tenant: "default"}, nil
}

// answerPath is the channel's server with its handlers and their answers, over the
// imitated systems, and nothing before them but what says the market: no log, no trace,
// no token.
func answerPath(b *testing.B) (app *fiber.App, product string) {
	b.Helper()
	systems := sandboxtest.Start(b)
	cfg, err := Load(append([]string{"PORTICO_MODE=development"}, sandbox.Environ(systems.URL)...))
	require.NoError(b, err)
	cfg.Telemetry.Out = io.Discard
	backend, err := edge.New(b.Context(), cfg.Config, "mobile")
	require.NoError(b, err)
	b.Cleanup(func() { assert.NoError(b, backend.Close(context.Background())) })
	app = web.NewServer(backend.Telemetry)
	api := &rest.API{Screens: &screen.Screens{Ports: backend.Ports, Log: backend.Log, HomePage: "home"}, Ports: backend.Ports, Answers: backend.Answers}
	for _, r := range api.Routes() {
		app.Add(r.Method, r.Path, web.Identify(benchMarket{}, benchMarket{}), r.Handle)
	}
	return app, string(systems.Fixture().Products[0])
}

// serveBench serves app on a connection to this machine.
func serveBench(b *testing.B, app *fiber.App) string {
	b.Helper()
	ln, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	require.NoError(b, err)
	var done sync.WaitGroup
	done.Go(func() { _ = app.Listener(ln) })
	b.Cleanup(func() {
		require.NoError(b, app.Shutdown())
		done.Wait()
	})
	return ln.Addr().String()
}

// bareOf writes what was answered, and looks at nothing.
func bareOf(path string, header http.Header, body []byte) *fiber.App {
	type pair struct{ name, value string }
	var list []pair
	for name, values := range header {
		if name != fiber.HeaderDate && name != fiber.HeaderContentLength { // are the server's
			list = append(list, pair{name, values[0]})
		}
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	app.Get(path, func(c *fiber.Ctx) error {
		for _, p := range list {
			c.Set(p.name, p.value)
		}
		return c.Send(body)
	})
	return app
}

// BenchmarkAnswerHit is requests per second of a kept screen, as a share of those of a
// bare fiber handler that writes the same bytes, headers and all, over real connections.
func BenchmarkAnswerHit(b *testing.B) {
	app, product := answerPath(b)
	ours := serveBench(b, app)
	for name, c := range map[string]struct{ path, target string }{
		"product":    {"/v1/screens/products/:sku", "/v1/screens/products/" + product},
		"list of 24": {"/v1/screens/search", "/v1/screens/search?first=24"},
		"list of 50": {"/v1/screens/search", "/v1/screens/search?q=bike&first=50&sort=PRICE_ASC"},
	} {
		b.Run(name, func(b *testing.B) {
			request := []byte("GET " + c.target + " HTTP/1.1\r\nHost: portico.test\r\n\r\n")
			benchtest.Exchange(b, ours, request)
			header, body := benchtest.Exchange(b, ours, request)
			bare := serveBench(b, bareOf(c.path, header, body))
			benchtest.Compare(b, ours, bare, request)
		})
	}
}
