package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// baseline is what a competent engineer writes in a day: plain net/http on both sides,
// errgroup, encoding/json, no cache but one of whole answers on request. It makes the calls
// that the channels make, and answers what they answer. It has no retries, breakers,
// limits, metrics, identities or markets.
type baseline struct {
	erp      *erp
	upstream *upstream
	asks     bodies

	mu       sync.Mutex // of tree
	tree     categoryTree
	treeTill time.Time

	keeping sync.RWMutex // of kept
	kept    map[string]keptAnswer
}

type keptAnswer struct {
	body []byte
	till time.Time
}

const keptFor = 10 * time.Minute

// runBaseline is the process of the baseline.
func runBaseline(ctx context.Context, addr, systems, file string) error {
	r, err := recorded(file)
	if err != nil {
		return err
	}
	u := newUpstream(systems)
	b := &baseline{upstream: u, erp: &erp{upstream: u}, asks: r.Asks, kept: map[string]keptAnswer{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /graphql", b.graphql)
	mux.HandleFunc("POST /kept/graphql", b.graphql)
	mux.HandleFunc("GET /v1/screens/search", answering(b.searchScreen))
	mux.HandleFunc("GET /v1/screens/categories/{id}", answering(b.categoryScreen))
	mux.HandleFunc("GET /v1/screens/products/{sku}", answering(b.productScreen))
	mux.HandleFunc("GET /kept/v1/config", b.keep(b.config))
	mux.HandleFunc("GET /kept/v1/screens/search", b.keep(b.searchScreen))
	mux.HandleFunc("GET /kept/v1/screens/products/{sku}", b.keep(b.productScreen))
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 2 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 15 * time.Second, IdleTimeout: time.Minute}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// upstream calls the systems.
type upstream struct {
	base   string
	client *http.Client
}

func newUpstream(base string) *upstream {
	return &upstream{base: base, client: &http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{
			DialContext:  (&net.Dialer{Timeout: time.Second}).DialContext,
			MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024, IdleConnTimeout: 90 * time.Second, DisableCompression: true,
		},
	}}
}

// post makes a call and decodes its answer.
func (u *upstream) post(ctx context.Context, path string, body, into any, header ...string) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.base+path, strings.NewReader(string(raw)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := u.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", path, res.Status)
	}
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

// answering writes what compose makes.
func answering(compose func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := encoded(compose, r)
		write(w, body, err)
	}
}

// keep answers the same for a while.
func (b *baseline) keep(compose func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key := r.URL.RequestURI()
		if body := b.recall(key); body != nil {
			write(w, body, nil)
			return
		}
		body, err := encoded(compose, r)
		b.remember(key, body, err)
		write(w, body, err)
	}
}

func (b *baseline) recall(key string) []byte {
	b.keeping.RLock()
	kept := b.kept[key]
	b.keeping.RUnlock()
	if kept.body == nil || time.Now().After(kept.till) {
		return nil
	}
	return kept.body
}

func (b *baseline) remember(key string, body []byte, err error) {
	if err != nil {
		return
	}
	b.keeping.Lock()
	b.kept[key] = keptAnswer{body, time.Now().Add(keptFor)}
	b.keeping.Unlock()
}

func encoded(compose func(*http.Request) (any, error), r *http.Request) ([]byte, error) {
	answer, err := compose(r)
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}

func write(w http.ResponseWriter, body []byte, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// asked is what both sides are sent on the web.
type asked struct {
	Document  string `json:"documentId"`
	Variables struct {
		SKU string `json:"sku"`
		ID  string `json:"id"`
		Min string `json:"min"`
	} `json:"variables"`
}

// graphql answers the measurements' operations, which it tells apart by their documents.
func (b *baseline) graphql(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		write(w, nil, err)
		return
	}
	keep := strings.HasPrefix(r.URL.Path, "/kept/")
	if body := b.recall(string(raw)); keep && body != nil {
		write(w, body, nil)
		return
	}
	body, err := encoded(func(r *http.Request) (any, error) {
		var q asked
		if err := json.Unmarshal(raw, &q); err != nil {
			return nil, err
		}
		return b.operation(r.Context(), q)
	}, r)
	if keep {
		b.remember(string(raw), body, err)
	}
	write(w, body, err)
}

func (b *baseline) operation(ctx context.Context, q asked) (any, error) {
	switch q.Document {
	case listDocument:
		return b.webList(ctx, q.Variables.ID, q.Variables.Min)
	case pageDocument:
		return b.webPage(ctx, q.Variables.SKU)
	default:
		return data("__typename", "Query"), nil
	}
}

var listDocument, pageDocument = documentID(listQuery), documentID(pageQuery)

// together runs functions at once; the first error is answered.
func together(ctx context.Context, all ...func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, one := range all {
		g.Go(func() error { return one(ctx) })
	}
	return g.Wait()
}
