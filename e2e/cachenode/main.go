// Cachenode is a process with nothing but the cache and a connector's transport before
// one system, for tests of what several processes owe each other. It listens on a port
// that it prints:
//
//	GET  /names?sku=…&n=…       asks n times at once for a product and answers its names, one a line
//	GET  /look?sku=…            asks once and answers state, age in ms and name; 503 when there is nothing
//	POST /invalidate?tag=…      invalidates the tags of the query
//	GET  /clock                 answers what it takes for the time, in ns since 1970
//
// REDIS_URL and SYSTEM_URL say where those are; LIFETIME for how long answers are fresh,
// and MAX_CONCURRENT how many attempts the system is given at a time, if not the default.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// system asks the test what products are called.
type system struct{ client *transport.Client }

var traits = commerce.Traits{System: "pim", Operation: commerce.OpProducts, Access: commerce.Read, Scope: commerce.ScopePublic}

func (s system) Products(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	found := map[commerce.SKU]*commerce.Product{}
	for _, sku := range skus {
		var wire struct{ Name string }
		_, err := s.client.Do(ctx, traits, transport.Request{
			Method: http.MethodGet, Query: url.Values{"sku": {string(sku)}},
			Read: func(res *transport.Response) error {
				if res.Status != http.StatusOK {
					return transport.Refused(traits, res)
				}
				return transport.DecodeJSON("pim", traits, res, &wire)
			},
		})
		if err != nil {
			return nil, err
		}
		found[sku] = &commerce.Product{SKU: sku, Name: wire.Name}
	}
	return found, nil
}

type node struct {
	cache *cache.Cache
	port  commerce.Catalog
}

var market = commerce.Market{Channel: "us", Locale: "en", Country: "US"}

func (n node) names(w http.ResponseWriter, r *http.Request) {
	sku, times := commerce.SKU(r.FormValue("sku")), max(1, number(r.FormValue("n")))
	answers := make([]string, times)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			found, err := n.port.Products(r.Context(), market, []commerce.SKU{sku})
			if err != nil {
				answers[i] = "error: " + err.Error()
				return
			}
			answers[i] = found[sku].Name
		})
	}
	wg.Wait()
	_, _ = io.WriteString(w, strings.Join(answers, "\n"))
}

func (n node) look(w http.ResponseWriter, r *http.Request) {
	sku := commerce.SKU(r.FormValue("sku"))
	ctx, sink := commerce.WithSink(r.Context())
	found, err := n.port.Products(ctx, market, []commerce.SKU{sku})
	if err != nil || found[sku] == nil {
		http.Error(w, string(commerce.ReasonOf(err)), http.StatusServiceUnavailable)
		return
	}
	for _, at := range sink.Sources() {
		_, _ = fmt.Fprintf(w, "%s %d %s", at.State, at.Age.Milliseconds(), found[sku].Name)
	}
}

func clock(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, time.Now().UnixNano()) }

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

func (n node) invalidate(w http.ResponseWriter, r *http.Request) {
	var tags []commerce.Tag
	for _, text := range r.URL.Query()["tag"] {
		tags = append(tags, commerce.Tag(text))
	}
	if err := n.cache.Invalidate(r.Context(), tags...); err != nil {
		w.WriteHeader(http.StatusAccepted) // this process knows, the others not yet
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	quiet := slog.New(slog.DiscardHandler)
	c, err := cache.New(cache.Config{
		RedisURL: commerce.Secret(os.Getenv("REDIS_URL")), HardTimeout: 10 * time.Second, Unheard: 5 * time.Second,
	}, cache.Deps{Log: quiet})
	if err != nil {
		return err
	}
	upstream, err := transport.New("pim", transport.Config{
		BaseURL: os.Getenv("SYSTEM_URL"), AllowPrivate: true, MaxConcurrent: number(os.Getenv("MAX_CONCURRENT")), NoHedge: true,
	}, nil, transport.Deps{Log: quiet})
	if err != nil {
		return err
	}
	declared := traits
	if declared.Lifetime, err = time.ParseDuration(cmp.Or(os.Getenv("LIFETIME"), "0s")); err != nil {
		return err
	}
	ports := c.Wrap(commerce.Ports{Catalog: system{upstream}, Traits: map[commerce.Operation]commerce.Traits{commerce.OpProducts: declared}})
	n := node{cache: c, port: ports.Catalog}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /names", n.names)
	mux.HandleFunc("GET /look", n.look)
	mux.HandleFunc("POST /invalidate", n.invalidate)
	mux.HandleFunc("GET /clock", clock)
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return (&http.Server{Handler: mux, ReadHeaderTimeout: time.Second}).Serve(listener)
}
