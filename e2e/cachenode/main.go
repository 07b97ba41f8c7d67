// Cachenode is a process with nothing but the cache before one system, for tests of
// what several processes owe each other. It listens on a port that it prints:
//
//	GET  /names?sku=…&n=…       asks n times at once for a product and answers its names, one a line
//	POST /invalidate?tag=…      invalidates the tags of the query
package main

import (
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
	"github.com/portico-bff/portico/schema/commerce"
)

// system asks the test what products are called.
type system struct {
	base   string
	client *http.Client
}

func (s system) Products(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	found := map[commerce.SKU]*commerce.Product{}
	for _, sku := range skus {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/?sku="+url.QueryEscape(string(sku)), nil)
		if err != nil {
			return nil, err
		}
		res, err := s.client.Do(req)
		if err != nil {
			return nil, err
		}
		name, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			return nil, err
		}
		found[sku] = &commerce.Product{SKU: sku, Name: string(name)}
	}
	return found, nil
}

type node struct {
	cache *cache.Cache
	port  commerce.Catalog
}

func (n node) names(w http.ResponseWriter, r *http.Request) {
	sku, times := commerce.SKU(r.FormValue("sku")), max(1, number(r.FormValue("n")))
	answers := make([]string, times)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			found, err := n.port.Products(r.Context(), commerce.Market{Channel: "us", Locale: "en", Country: "US"}, []commerce.SKU{sku})
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
	c, err := cache.New(cache.Config{RedisURL: commerce.Secret(os.Getenv("REDIS_URL")), HardTimeout: 10 * time.Second}, cache.Deps{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	upstream := system{base: os.Getenv("SYSTEM_URL"), client: &http.Client{Timeout: 10 * time.Second}}
	traits := map[commerce.Operation]commerce.Traits{
		commerce.OpProducts: {System: "pim", Operation: commerce.OpProducts, Access: commerce.Read, Scope: commerce.ScopePublic},
	}
	n := node{cache: c, port: c.Wrap(commerce.Ports{Catalog: upstream, Traits: traits}).Catalog}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /names", n.names)
	mux.HandleFunc("POST /invalidate", n.invalidate)
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return (&http.Server{Handler: mux, ReadHeaderTimeout: time.Second}).Serve(listener)
}
