package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// stub replays a recording as all systems at once, at a fraction of their cost, so that a
// measured difference is that of whoever asks.
type stub struct {
	places map[string]int // SKU → its place among those recorded
	nodes  map[string]map[string]fragment
	priced map[string]fragment
	plain  map[string]fragment
	quants []fragment // by place
	page   fragment
	exact  map[string][]byte

	clock   *alarm
	weather atomic.Pointer[weather]
	mu      sync.Mutex
	calls   map[string]int
	asked   []called // the first calls since the weather was set
	since   time.Time
}

// mostAsked is how many calls are remembered: those of a page.
const mostAsked = 64

// weather is how the systems fare.
type weather struct {
	Latency time.Duration      `json:"latency"` // of every call
	Slow    float64            `json:"slow"`    // share of calls that take SlowBy more
	SlowBy  time.Duration      `json:"slowBy"`
	Errors  map[string]float64 `json:"errors"` // system → share of its calls that answer 503
	Dead    string             `json:"dead"`   // system that hangs up on every call
}

const (
	contentType = "application/json"
	nodesHead   = `{"data":{"getProductListing":{"edges":[`
	nodesTail   = `]}}}`
)

func newStub(r *recording) *stub {
	s := &stub{
		places: map[string]int{}, nodes: map[string]map[string]fragment{}, priced: map[string]fragment{},
		plain: map[string]fragment{}, quants: make([]fragment, len(r.SKUs)), exact: map[string][]byte{}, calls: map[string]int{},
	}
	for i, sku := range r.SKUs {
		s.places[sku] = i
	}
	for op, nodes := range r.Nodes {
		s.nodes[op] = map[string]fragment{}
		for sku, node := range nodes {
			s.nodes[op][sku] = cut(node, s.places, "")
		}
	}
	s.records(r)
	s.page = cut(r.Search, s.places, "")
	for key, answer := range r.Exact {
		s.exact[key] = answer
	}
	s.exact["/_sandbox/jwks.json\n"] = r.JWKS
	s.weather.Store(&weather{})
	return s
}

func (s *stub) records(r *recording) {
	const record, quant = `"id":`, `"product_id":[`
	for sku, row := range r.Priced {
		s.priced[sku] = cut(row, s.places, record)
	}
	for sku, row := range r.Plain {
		s.plain[sku] = cut(row, s.places, record)
		var w struct{ ID int64 }
		place, known := s.places[sku]
		if !known || json.Unmarshal(row, &w) != nil {
			continue
		}
		for i, row := range r.Quants[w.ID] {
			f := cut(row, s.places, quant)
			if i > 0 {
				s.quants[place] = append(s.quants[place], piece{text: []byte(",")})
			}
			s.quants[place] = append(s.quants[place], f...)
		}
	}
}

// serve answers calls on addr until ctx ends.
func (s *stub) serve(ctx context.Context, addr string) error {
	server := &fasthttp.Server{Handler: s.handle, NoDefaultServerHeader: true, NoDefaultDate: true}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		_ = listener.Close()
	}()
	if err := server.Serve(listener); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func (s *stub) handle(ctx *fasthttp.RequestCtx) {
	path := string(ctx.RequestURI())
	if strings.HasPrefix(path, "/_stub/") {
		s.control(ctx, path)
		return
	}
	system, _, _ := strings.Cut(path[1:], "/")
	if !s.fare(ctx, system) {
		return
	}
	body := ctx.PostBody()
	ctx.SetContentType(contentType)
	to := ctx.Response.SwapBody(nil)[:0]
	to, ok := s.answer(to, path, body)
	if !ok {
		fmt.Fprintf(os.Stderr, "not recorded: %s %.300s\n", path, body)
		ctx.SetStatusCode(fasthttp.StatusNotFound)
	}
	ctx.Response.SwapBody(to)
}

// fare lets the weather act; it tells whether the call is to be answered.
func (s *stub) fare(ctx *fasthttp.RequestCtx, system string) bool {
	w := s.weather.Load()
	s.count(ctx, system)
	delay := w.Latency
	if w.Slow > 0 && rand.Float64() < w.Slow {
		delay += w.SlowBy
	}
	s.clock.wait(delay)
	if w.Dead == system {
		ctx.HijackSetNoResponse(true)
		ctx.Hijack(func(net.Conn) {})
		return false
	}
	if share := w.Errors[system]; share > 0 && rand.Float64() < share {
		ctx.Error("unavailable", fasthttp.StatusServiceUnavailable)
		return false
	}
	return true
}

func (s *stub) count(ctx *fasthttp.RequestCtx, system string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[system]++
	if len(s.asked) < mostAsked {
		s.asked = append(s.asked, called{time.Since(s.since), string(ctx.RequestURI()), string(ctx.PostBody())})
	}
}

// control sets the weather, and tells how many calls each system got since it was set, or
// what the first of them asked.
func (s *stub) control(ctx *fasthttp.RequestCtx, path string) {
	if path == "/_stub/weather" {
		var w weather
		if err := json.Unmarshal(ctx.PostBody(), &w); err != nil {
			ctx.Error(err.Error(), fasthttp.StatusBadRequest)
			return
		}
		s.weather.Store(&w)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var answer any = s.calls
	if path == "/_stub/asked" {
		answer = s.asked
	}
	body, err := json.Marshal(answer)
	if err != nil {
		ctx.Error(err.Error(), fasthttp.StatusInternalServerError)
		return
	}
	ctx.SetBody(body)
	if path == "/_stub/weather" {
		clear(s.calls)
		s.asked, s.since = s.asked[:0], time.Now()
	}
}

// answer writes what a call is answered.
func (s *stub) answer(to []byte, path string, body []byte) ([]byte, bool) {
	switch {
	case isRecords(path, body):
		from := s.plain
		if bytes.Contains(body, []byte(`"lst_price"`)) {
			from = s.priced
		}
		return s.rows(to, from, body, `"default_code","in",[`)
	case strings.HasSuffix(path, "/stock.quant/search_read"):
		if mark := []byte(`"product_id.default_code","in",[`); bytes.Contains(body, mark) {
			return s.stockBySKU(to, body, string(mark))
		}
		return s.stock(to, body)
	case isList(path, body):
		return s.list(to, body)
	case strings.HasPrefix(path, "/pimcore/"):
		if op := between(body, `"operationName":"`, '"'); s.nodes[string(op)] != nil {
			return s.listing(to, s.nodes[string(op)], body)
		} else if root, known := nothingListed[string(op)]; known {
			return append(append(append(to, `{"data":{"`...), root...), `":{"edges":[]}}}`...), true
		}
	}
	whole, ok := s.exact[exactKey(path, body)]
	return append(to, whole...), ok
}

// nothingListed are the lists that a copy of the catalogue is made from, by operation: there
// is nothing to copy.
var nothingListed = map[string]string{"skus": "getProductListing", "pageIds": "getContentPageListing"}

// between is what stands in body after a mark, up to an end; nil without the mark.
func between(body []byte, mark string, end byte) []byte {
	i := bytes.Index(body, []byte(mark))
	if i < 0 {
		return nil
	}
	rest := body[i+len(mark):]
	j := bytes.IndexByte(rest, end)
	if j < 0 {
		return nil
	}
	return rest[:j]
}

// listing is Data Hub's answer about the SKUs that a filter names.
func (s *stub) listing(to []byte, nodes map[string]fragment, body []byte) ([]byte, bool) {
	to = append(to, nodesHead...)
	const mark = `{\"sku\":\"`
	first := true
	for {
		i := bytes.Index(body, []byte(mark))
		if i < 0 {
			break
		}
		body = body[i+len(mark):]
		end := bytes.IndexByte(body, '\\')
		if end < 0 {
			return to, false
		}
		base, v := varietyOf(body[:end])
		f, known := nodes[string(base)]
		if !known {
			continue
		}
		if !first {
			to = append(to, ',')
		}
		first = false
		to = append(to, `{"node":`...)
		to = f.fill(to, v, s.places[string(base)])
		to = append(to, '}')
	}
	return append(to, nodesTail...), true
}

// rows is Odoo's answer about the SKUs that a condition names.
func (s *stub) rows(to []byte, from map[string]fragment, body []byte, mark string) ([]byte, bool) {
	list := between(body, mark, ']')
	to = append(to, '[')
	begin := len(to)
	for len(list) > 0 {
		var one []byte
		one, list, _ = bytes.Cut(list, []byte(","))
		base, v := varietyOf(bytes.Trim(one, `"`))
		f, known := from[string(base)]
		if !known {
			continue
		}
		if len(to) > begin {
			to = append(to, ',')
		}
		to = f.fill(to, v, s.places[string(base)])
	}
	return append(to, ']'), true
}

// stock is Odoo's answer about the products whose ids a condition names.
func (s *stub) stock(to, body []byte) ([]byte, bool) {
	list := between(body, `"product_id","in",[`, ']')
	to = append(to, '[')
	begin := len(to)
	for len(list) > 0 {
		var one []byte
		one, list, _ = bytes.Cut(list, []byte(","))
		n, err := strconv.ParseInt(string(one), 10, 64)
		if err != nil || n < 1 {
			return to, false
		}
		place := int((n - 1) % idStep)
		if place >= len(s.quants) || len(s.quants[place]) == 0 {
			continue
		}
		if len(to) > begin {
			to = append(to, ',')
		}
		to = s.quants[place].fill(to, variety((n-1)/idStep), place)
	}
	return append(to, ']'), true
}

// stockBySKU is Odoo's answer about the products whose SKUs a condition names.
func (s *stub) stockBySKU(to, body []byte, mark string) ([]byte, bool) {
	if bytes.Contains(body, []byte(`"product_id","in",[`)) { // of both kinds, which is made of two
		byID, ok := s.stock(nil, body)
		rest, known := s.stockBySKU(nil, body[bytes.Index(body, []byte(mark)):], mark)
		if len(byID) > len("[]") && len(rest) > len("[]") {
			rest = append([]byte(","), rest[1:]...)
		} else if len(rest) > 0 {
			rest = rest[1:]
		}
		return append(append(to, bytes.TrimSuffix(byID, []byte("]"))...), rest...), ok && known
	}
	list := between(body, mark, ']')
	to = append(to, '[')
	begin := len(to)
	for len(list) > 0 {
		var one []byte
		one, list, _ = bytes.Cut(list, []byte(","))
		base, v := varietyOf(bytes.Trim(one, `"`))
		place, known := s.places[string(base)]
		if !known || place >= len(s.quants) || len(s.quants[place]) == 0 {
			continue
		}
		if len(to) > begin {
			to = append(to, ',')
		}
		to = s.quants[place].fill(to, v, place)
	}
	return append(to, ']'), true
}

// list is a page of the index. Its least price, in ten-thousandths, says which: each
// page is of other varieties.
func (s *stub) list(to, body []byte) ([]byte, bool) {
	price := between(body, `"gte":`, '}')
	v, ok := pageOf(string(price))
	return s.page.fill(to, v, 0), ok
}

// pageOf reads a page's number from a price.
func pageOf(price string) (variety, bool) {
	whole, places, _ := strings.Cut(price, ".")
	n, err := strconv.ParseInt(whole+(places + "0000")[:4], 10, 64)
	return variety(n), err == nil
}

// priceOfPage is the least price that asks for a page.
func priceOfPage(v variety) string { return fmt.Sprintf("%d.%04d", v/10_000, v%10_000) }

// runStub is the process of the stub.
func runStub(ctx context.Context, addr, file string) error {
	r, err := recorded(file)
	if err != nil {
		return err
	}
	s := newStub(r)
	if s.clock, err = newAlarm(); err != nil {
		return err
	}
	defer func() { _ = s.clock.close() }()
	return s.serve(ctx, addr)
}
