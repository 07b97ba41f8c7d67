package bffweb

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/benchtest"
	"github.com/portico-bff/portico/schema/commerce"
)

// answerPath is the channel's executor with its answers, over the imitated systems, and
// nothing before it: no log, no trace, no token. Whoever calls it says the market. skus
// are some of what is sold.
func answerPath(b *testing.B) (h http.Handler, skus []string) {
	b.Helper()
	systems := sandboxtest.Start(b)
	cfg, err := Load(append([]string{"PORTICO_MODE=development", "WEB_OPEN_QUERIES=true"}, sandbox.Environ(systems.URL)...))
	require.NoError(b, err)
	cfg.Telemetry.Out = io.Discard
	backend, err := edge.New(b.Context(), cfg.Config, "web")
	require.NoError(b, err)
	b.Cleanup(func() { assert.NoError(b, backend.Close(context.Background())) })
	found, err := backend.Ports.Search.Search(b.Context(), benchMarket, commerce.SearchQuery{First: 50})
	require.NoError(b, err)
	for _, sku := range found.SKUs {
		skus = append(skus, string(sku))
	}
	require.Len(b, skus, 50)
	published, err := publications(b.Context(), backend, cfg)
	require.NoError(b, err)
	b.Cleanup(published.Close)
	transport, exec := graphQL(stack{Backend: backend, verifier: backend.Identity, published: published}, Config{})
	return transport.Handler(exec), skus
}

var benchMarket = commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}

// serveBench serves h on a connection to this machine.
func serveBench(b *testing.B, h http.Handler) string {
	b.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.BaseContext = func(net.Listener) context.Context {
		return caller.WithMarket(context.Background(), benchMarket)
	}
	s.Start()
	b.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// bareOf writes what was answered, and looks at nothing.
func bareOf(header http.Header, body []byte) http.Handler {
	type pair struct{ name, value string }
	var list []pair
	for name, values := range header {
		if name != "Date" { // is the server's
			list = append(list, pair{name, values[0]})
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for _, p := range list {
			h.Set(p.name, p.value)
		}
		_, _ = w.Write(body)
	})
}

const (
	benchPage = `query Page($sku:String!){product(sku:$sku){sku name brand description price{unit{amount currency formatted}} availability{quantity inStock} reviews{count} categories{id name} images(width:400){url} related{sku name price{unit{amount formatted}} images(width:200){url}}}}`
	benchList = `query List($skus:[String!]!){products(skus:$skus){sku name price{unit{amount currency formatted}} availability{inStock} images(width:200){url}}}`
)

// BenchmarkAnswerHit is requests per second of a kept answer, as a share of those of a
// bare net/http handler that writes the same bytes, headers and all, over real
// connections.
func BenchmarkAnswerHit(b *testing.B) {
	h, skus := answerPath(b)
	type asked struct{ name, query, variables string }
	list := func(n int) string { return `{"skus":["` + strings.Join(skus[:n], `","`) + `"]}` }
	for _, c := range []asked{
		{"product", benchPage, `{"sku":"` + skus[7] + `"}`}, {"list of 24", benchList, list(24)}, {"list of 50", benchList, list(50)},
	} {
		requests := map[string]string{
			"GET":  "GET /graphql?" + url.Values{"query": {c.query}, "variables": {c.variables}}.Encode() + " HTTP/1.1\r\nHost: portico.test\r\n\r\n",
			"POST": `{"query":` + strconv.Quote(c.query) + `,"variables":` + c.variables + `}`,
		}
		requests["POST"] = fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: portico.test\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			len(requests["POST"]), requests["POST"])
		for _, method := range []string{"GET", "POST"} {
			b.Run(method+" "+c.name, func(b *testing.B) {
				request := []byte(requests[method])
				ours := serveBench(b, h)
				benchtest.Exchange(b, ours, request)
				header, body := benchtest.Exchange(b, ours, request)
				bare := serveBench(b, bareOf(header, body))
				benchtest.Compare(b, ours, bare, request)
			})
		}
	}
}
