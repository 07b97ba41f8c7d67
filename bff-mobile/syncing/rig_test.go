package syncing

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/events"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// wire leads from a node to Redis, in memory, so that time in a bubble passes by itself.
type wire struct {
	server *miniredis.Miniredis
	mu     sync.Mutex
	cut    int // how many have cut it
	open   []net.Conn
}

var errCut = errors.New("the wire is cut")

func (w *wire) dial(context.Context, string, string) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut > 0 {
		return nil, errCut
	}
	conn, err := w.server.Dial()
	if err == nil {
		w.open = append(w.open, conn)
	}
	return conn, err
}

// cutFor cuts the wire for a while.
func (w *wire) cutFor(d time.Duration) {
	w.mu.Lock()
	w.cut++
	for _, conn := range w.open {
		_ = conn.Close()
	}
	w.open = nil
	w.mu.Unlock()
	time.Sleep(d)
	w.mu.Lock()
	w.cut--
	w.mu.Unlock()
}

// pim is the shop's PIM, whose answers may come late.
type pim struct {
	commerce.Ports
	lag *atomic.Int64 // ms between reading and answering
}

func (p pim) late(ctx context.Context) error {
	select {
	case <-time.After(time.Duration(p.lag.Load()) * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p pim) Products(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	found, err := p.Catalog.Products(ctx, m, skus)
	return found, errors.Join(err, p.late(ctx))
}

func (p pim) Pages(ctx context.Context, m commerce.Market, ids []commerce.PageID) (map[commerce.PageID]*commerce.Page, error) {
	found, err := p.Content.Pages(ctx, m, ids)
	return found, errors.Join(err, p.late(ctx))
}

func (p pim) Tree(ctx context.Context, m commerce.Market) (*commerce.CategoryTree, error) {
	found, err := p.Categories.Tree(ctx, m)
	return found, errors.Join(err, p.late(ctx))
}

func (p pim) SKUs(ctx context.Context, m commerce.Market, after commerce.SKU, first int) ([]commerce.SKU, error) {
	found, err := p.Listing.SKUs(ctx, m, after, first)
	return found, errors.Join(err, p.late(ctx))
}

func (p pim) PageIDs(ctx context.Context, m commerce.Market, after commerce.PageID, first int) ([]commerce.PageID, error) {
	found, err := p.Listing.PageIDs(ctx, m, after, first)
	return found, errors.Join(err, p.late(ctx))
}

const secret = "a secret of the tests' events, long enough"

var quietly = slog.New(slog.DiscardHandler)

// node is a process that syncs, and takes events.
type node struct {
	*Catalogue
	wire   *wire
	cache  *cache.Cache
	events *events.Service
}

// tagged reads what the tests' PIM tells: the tags themselves.
func tagged(e commerce.ChangeEvent) ([]commerce.Tag, error) {
	var sent struct {
		Tags []commerce.Tag `json:"tags"`
	}
	err := e.Decode(&sent)
	return sent.Tags, err
}

// open makes a node over ports. It serves in work until ctx ends.
func (w *wire) node(ctx context.Context, ports commerce.Ports, work *sync.WaitGroup) (*node, error) {
	c, err := cache.New(cache.Config{RedisURL: "redis://127.0.0.1"}, cache.Deps{Log: quietly, Dial: w.dial})
	if err != nil {
		return nil, err
	}
	service, err := events.New(events.Config{Addr: "127.0.0.1:0", Secrets: []commerce.Secret{secret}}, events.Deps{
		Mappers:    map[string]events.Mapper{"pim": {Kind: "shop", Changes: tagged}},
		Invalidate: c.Invalidate, Redis: c.Redis(), Consumer: fmt.Sprintf("%p", w), Log: quietly,
	})
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	journal := events.NewJournal(c.Redis(), service, c.HeardSince, quietly)
	n := &node{wire: w, cache: c, events: service, Catalogue: &Catalogue{Ports: c.Wrap(ports), Journal: journal}}
	work.Go(func() { _ = service.Serve(ctx) })
	return n, nil
}

func (n *node) close() error {
	n.Journal.Close()
	return errors.Join(n.events.Close(), n.cache.Close())
}

// tell hands an event over and is true when it is in safe hands.
func (n *node) tell(id string, tags []commerce.Tag) bool {
	body, err := json.Marshal(map[string]any{
		"specversion": "1.0", "id": id, "source": "pim", "type": "saved", "data": map[string]any{"tags": tags},
	})
	if err != nil {
		return false
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/events", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/cloudevents+json")
	events.Sign(r.Header, secret, id, time.Now(), body)
	w := httptest.NewRecorder()
	n.events.Handler().ServeHTTP(w, r)
	return w.Code == http.StatusAccepted
}

var market = commercetest.NewShop().Fixture().Market
