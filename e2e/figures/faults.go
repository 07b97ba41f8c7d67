package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	faultRate = 50              // requests a second, over both channels
	patience  = 7 * time.Second // what a client waits for an answer
)

// weather is what the systems are like while a run is measured.
type weather struct {
	name string
	rule string // a fault, as the sandbox's control API takes it; empty: none
	slow int64  // calls in a thousand that take a second more
}

var weathers = []weather{
	{"healthy", "", 0},
	{"30 % of all calls fail with 503", `{"system":"*","operation":"*","errorRate":0.3,"status":503,"mode":"status"}`, 0},
	{"Odoo hung", `{"system":"odoo","operation":"*","errorRate":1,"mode":"hang"}`, 0},
	{"1 % of all calls take 1 s more", "", 10},
}

// faults measures what clients get, at a constant rate of a shop's usual mix, while the systems fail.
func faults(ctx context.Context, demo string, length time.Duration) error {
	link, err := newLink(ctx)
	if err != nil {
		return err
	}
	defer link.close()
	return run(ctx, demo, link.environ(), func(ctx context.Context, _ *process) error {
		shop, err := openShop(ctx)
		if err != nil {
			return err
		}
		if _, err := shop.run(ctx, warmUp); err != nil { // start-up is no part of it
			return err
		}
		fmt.Printf("\nclients while systems fail: %d requests a second for %s each, both channels\n", faultRate, length)
		fmt.Printf("  %-34s %8s %9s %9s %8s %11s %9s %9s %9s\n", "", "requests", "complete", "degraded", "failed", "calls/req.", "p50", "p99", "p99.9")
		for _, w := range weathers {
			if err := shop.under(ctx, w, link, length); err != nil {
				return err
			}
		}
		return nil
	})
}

// warmUp fills the cache, and after a weather closes the breakers.
const warmUp = 5 * time.Second

func (s *shop) under(ctx context.Context, w weather, link *link, length time.Duration) error {
	if w.rule != "" {
		if _, err := request(ctx, http.MethodPost, sandbox+"/_sandbox/faults", w.rule); err != nil {
			return err
		}
	}
	link.slow.Store(w.slow)
	if err := forget(ctx); err != nil {
		return err
	}
	sum, err := s.run(ctx, length)
	if err != nil {
		return err
	}
	calls, err := callsSeen(ctx)
	if err != nil {
		return err
	}
	sum.print(w.name, calls)
	link.slow.Store(0)
	if _, err := request(ctx, http.MethodDelete, sandbox+"/_sandbox/faults", ""); err != nil {
		return err
	}
	_, err = s.run(ctx, warmUp)
	return err
}

// link is between the channels and the systems, and keeps some calls a second longer:
// the sandbox's own faults are as slow for every call.
type link struct {
	server *http.Server
	addr   string
	slow   atomic.Int64 // calls in a thousand
}

func newLink(ctx context.Context) (*link, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(sandbox)
	if err != nil {
		return nil, err
	}
	l := &link{addr: listener.Addr().String()}
	forward := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host }, // signatures cover the host
		Transport: &http.Transport{MaxIdleConnsPerHost: 256},
		ErrorLog:  log.New(io.Discard, "", 0), // that callers leave is what is measured
	}
	l.server = &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rand.Int64N(1000) < l.slow.Load() {
			time.Sleep(time.Second)
		}
		forward.ServeHTTP(w, r)
	})}
	go func() { _ = l.server.Serve(listener) }()
	return l, nil
}

// environ leads every role through the link.
func (l *link) environ() []string {
	var list []string
	for system, role := range map[string]string{"pimcore": "PIM", "elasticsearch": "SEARCH", "odoo": "ERP", "openloyalty": "CRM", "magento": "CHECKOUT"} {
		list = append(list, role+"_BASE_URL=http://"+l.addr+"/"+system)
	}
	return list
}

func (l *link) close() { _ = l.server.Close() }

// callsSeen is how many calls the systems counted.
func callsSeen(ctx context.Context) (int, error) {
	raw, err := request(ctx, http.MethodGet, sandbox+"/_sandbox/calls", "")
	if err != nil {
		return 0, err
	}
	var counts map[string]map[string]int
	if err := json.Unmarshal(raw, &counts); err != nil {
		return 0, err
	}
	sum := 0
	for _, operations := range counts {
		for _, n := range operations {
			sum += n
		}
	}
	return sum, nil
}

// outcomes of client requests.
type outcomes struct {
	mu                         sync.Mutex
	complete, degraded, failed int
	spent                      []time.Duration
	failures                   map[string]int  // by what was asked and answered
	reasons                    map[string]int  // parts that were not fresh, by source, state and reason
	ages                       []time.Duration // of the stale parts
}

func newOutcomes() *outcomes {
	return &outcomes{failures: map[string]int{}, reasons: map[string]int{}}
}

func (o *outcomes) add(kind string, verdict verdict, took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.spent = append(o.spent, took)
	o.ages = append(o.ages, verdict.ages...)
	switch {
	case verdict.failure != "":
		o.failed++
		o.failures[kind+": "+verdict.failure]++
	case len(verdict.reported) > 0:
		o.degraded++
		for _, what := range verdict.reported {
			o.reasons[what]++
		}
	default:
		o.complete++
	}
}

func (o *outcomes) print(name string, calls int) {
	n := len(o.spent)
	slices.Sort(o.spent)
	share := func(part int) string { return fmt.Sprintf("%.2f %%", 100*float64(part)/float64(n)) }
	at := func(q float64) time.Duration {
		return o.spent[min(int(q*float64(n)), n-1)].Round(100 * time.Microsecond)
	}
	fmt.Printf("  %-34s %8d %9s %9s %8s %11.2f %9s %9s %9s\n", name, n, share(o.complete), share(o.degraded), share(o.failed),
		float64(calls)/float64(n), at(.5), at(.99), at(.999))
	printCounts("failed", o.failures)
	printCounts("not fresh", o.reasons)
}

func printCounts(what string, counts map[string]int) {
	names := slices.Collect(maps.Keys(counts))
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	for _, name := range names {
		fmt.Printf("    %s %5d × %s\n", what, counts[name], name)
	}
}

// shop is what clients ask for.
type shop struct {
	skus  []string
	carts []string
	token string
}

func openShop(ctx context.Context) (*shop, error) {
	s := &shop{}
	var token struct{ Token string }
	if err := into(ctx, &token, sandbox+"/_sandbox/token", `{"customer":"AW00011000"}`); err != nil {
		return nil, err
	}
	s.token = token.Token
	raw, err := query(ctx, `{ search(first: 100) { nodes { sku } } }`)
	if err != nil {
		return nil, err
	}
	var found struct {
		Data struct {
			Search struct{ Nodes []struct{ Sku string } }
		}
	}
	if err := json.Unmarshal(raw, &found); err != nil {
		return nil, err
	}
	for _, node := range found.Data.Search.Nodes {
		s.skus = append(s.skus, node.Sku)
	}
	for range 20 {
		var cart struct{ ID string }
		if err := into(ctx, &cart, mobile+"/v1/carts", `{}`); err != nil {
			return nil, err
		}
		s.carts = append(s.carts, cart.ID)
	}
	return s, nil
}

// run asks at a constant rate, whatever the answers take, and waits for all of them.
func (s *shop) run(ctx context.Context, length time.Duration) (*outcomes, error) {
	sum := newOutcomes()
	return sum, s.each(ctx, length, func(q question, v verdict, took time.Duration) { sum.add(q.kind, v, took) })
}

// each asks like run and hands over every answer, several at a time.
func (s *shop) each(ctx context.Context, length time.Duration, then func(question, verdict, time.Duration)) error {
	tick := time.NewTicker(time.Second / faultRate)
	defer tick.Stop()
	var asked sync.WaitGroup
	defer asked.Wait()
	for range int(length.Seconds() * faultRate) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		q := s.next()
		asked.Go(func() {
			begin := time.Now()
			verdict := q.ask(ctx)
			then(q, verdict, time.Since(begin))
		})
	}
	return nil
}

// question is one request of a client.
type question struct {
	kind, method, url, body string
	headers                 []string
}

// next draws from a shop's usual mix: mostly products and lists, some carts, some accounts.
func (s *shop) next() question {
	sku, cart := s.skus[rand.IntN(len(s.skus))], s.carts[rand.IntN(len(s.carts))]
	market := []string{"Accept-Language", []string{"en", "fr", "he"}[rand.IntN(3)], "X-Currency", []string{"USD", "EUR"}[rand.IntN(2)]}
	text := []string{"helmet", "bike", "tire", "jersey", "light"}[rand.IntN(5)]
	page := func(kind, query string, variables map[string]string) question {
		body, _ := json.Marshal(map[string]any{"query": query, "variables": variables}) // strings only: it cannot fail
		return question{kind, http.MethodPost, web + "/graphql", string(body), market}
	}
	screen := func(kind, path string, headers ...string) question {
		return question{kind, http.MethodGet, mobile + path, "", append(headers, market...)}
	}
	switch n := rand.IntN(100); {
	case n < 20:
		return page("product page", everything, map[string]string{"sku": sku})
	case n < 35:
		return page("search page", `query S($text: String!) { search(text: $text, first: 20) { totalCount nodes { sku name price { unit { formatted } } availability { inStock } } facets { code values { value count } } } }`,
			map[string]string{"text": text})
	case n < 45:
		return page("category page", `{ category(id: "131") { name products(first: 20) { nodes { sku name price { unit { formatted } } } } } categories { name } }`, nil)
	case n < 60:
		return screen("product screen", "/v1/screens/products/"+sku)
	case n < 70:
		return screen("home screen", "/v1/screens/home")
	case n < 80:
		return screen("search screen", "/v1/screens/search?q="+text)
	case n < 87:
		return screen("account screen", "/v1/screens/account", "Authorization", "Bearer "+s.token)
	case n < 94:
		return screen("cart screen", "/v1/screens/cart/"+cart)
	default:
		return question{"cart line", http.MethodPost, mobile + "/v1/carts/" + cart + "/lines", `{"sku":"HL-U509-R","quantity":1}`, market}
	}
}

// verdict is what became of a question. Without a failure and a report it was answered in full.
type verdict struct {
	failure  string
	reported []string        // what the answer says is not fresh, each once
	ages     []time.Duration // of what it says is stale
}

func (q question) ask(ctx context.Context) verdict {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, q.method, q.url, strings.NewReader(q.body))
	if err != nil {
		return verdict{failure: err.Error()}
	}
	if q.body != "" {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64())) // writes of the app need one, everything else ignores it
	}
	for i := 0; i+1 < len(q.headers); i += 2 {
		req.Header.Set(q.headers[i], q.headers[i+1])
	}
	res, err := client.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return verdict{failure: "no answer in time"}
	}
	if err != nil {
		return verdict{failure: "no answer"}
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return verdict{failure: "the answer broke off"}
	case res.StatusCode >= http.StatusBadRequest:
		return verdict{failure: fmt.Sprintf("status %d", res.StatusCode)}
	case wiped(raw):
		return verdict{failure: "an answer without its subject"}
	default:
		return reports(raw)
	}
}

// reports reads what either channel's report of freshness says, and errors beside data.
func reports(raw []byte) verdict {
	type part struct {
		Source, State, Reason string
		AgeMs                 int64
	}
	var answer struct {
		Degraded   []part
		Errors     []struct{ Message string }
		Extensions struct{ Freshness []part }
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return verdict{reported: []string{"no JSON"}}
	}
	var found verdict
	said := map[string]bool{}
	for _, p := range append(answer.Degraded, answer.Extensions.Freshness...) {
		said[strings.TrimSpace(p.Source+" "+p.State+" "+p.Reason)] = true
		if p.State == "stale" {
			found.ages = append(found.ages, time.Duration(p.AgeMs)*time.Millisecond)
		}
	}
	if len(said) == 0 && len(answer.Errors) > 0 {
		said["an error without a report: "+answer.Errors[0].Message] = true
	}
	found.reported = slices.Sorted(maps.Keys(said))
	return found
}

// wiped tells whether what a page is about is null.
func wiped(raw []byte) bool {
	for _, subject := range []string{`"data":{"product":null`, `"data":{"search":null`, `"data":{"category":null`, `"data":null`} {
		if bytes.Contains(raw, []byte(subject)) {
			return true
		}
	}
	return false
}
