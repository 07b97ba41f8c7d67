package cache

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/portico-bff/portico/schema/commerce"
)

// echo answers each question with all that a system is told of it, in one text, after a
// while: whoever is given another's answer can read it there.
type echo struct {
	mu    sync.Mutex
	calls int
}

// heard writes down what a system is told, so that nothing runs together.
func heard(what ...any) string { return fmt.Sprintf("%q", fmt.Sprintf("%#v", what)) }

// priceless is a market without what only prices depend on.
func priceless(m commerce.Market) commerce.Market {
	m.Currency = ""
	return m
}

func (e *echo) wait() {
	e.mu.Lock()
	e.calls++
	e.mu.Unlock()
	time.Sleep(10 * time.Millisecond)
}

func echoed[K comparable, V any](e *echo, keys []K, value func(K) V) (map[K]V, error) {
	e.wait()
	found := map[K]V{}
	for _, k := range keys {
		found[k] = value(k)
	}
	return found, nil
}

func (e *echo) Products(_ context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	return echoed(e, skus, func(k commerce.SKU) *commerce.Product { return &commerce.Product{Name: heard(priceless(m), k)} })
}

func (e *echo) Related(_ context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU][]commerce.RelatedProduct, error) {
	return echoed(e, skus, func(k commerce.SKU) []commerce.RelatedProduct {
		return []commerce.RelatedProduct{{Name: heard(priceless(m), k)}}
	})
}

func (e *echo) Pages(_ context.Context, m commerce.Market, ids []commerce.PageID) (map[commerce.PageID]*commerce.Page, error) {
	return echoed(e, ids, func(k commerce.PageID) *commerce.Page { return &commerce.Page{Title: heard(priceless(m), k)} })
}

func (e *echo) Reviews(_ context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.ReviewSummary, error) {
	return echoed(e, skus, func(k commerce.SKU) *commerce.ReviewSummary {
		return &commerce.ReviewSummary{SKU: commerce.SKU(heard(priceless(m), k))}
	})
}

func (e *echo) Availability(_ context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	return echoed(e, skus, func(k commerce.SKU) *commerce.Availability {
		return &commerce.Availability{SKU: commerce.SKU(heard(priceless(m), k))}
	})
}

func (e *echo) Prices(_ context.Context, m commerce.Market, group commerce.PriceGroup, keys []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
	return echoed(e, keys, func(k commerce.PriceKey) *commerce.Price {
		return &commerce.Price{SKU: commerce.SKU(heard(m, group, k)), Unit: nothing, List: nothing}
	})
}

func (e *echo) Tree(_ context.Context, m commerce.Market) (*commerce.CategoryTree, error) {
	e.wait()
	return commerce.NewCategoryTree([]*commerce.Category{{ID: "root", Name: heard(priceless(m))}}), nil
}

func (e *echo) Search(_ context.Context, m commerce.Market, q commerce.SearchQuery) (*commerce.SearchResult, error) {
	e.wait()
	return &commerce.SearchResult{EndCursor: heard(m, q)}, nil
}

func (e *echo) Customer(_ context.Context, p commerce.Principal) (*commerce.Customer, error) {
	e.wait()
	return &commerce.Customer{FirstName: heard(p)}, nil
}

func (e *echo) Loyalty(_ context.Context, p commerce.Principal) (*commerce.LoyaltyAccount, error) {
	e.wait()
	return &commerce.LoyaltyAccount{Level: heard(p)}, nil
}

func (e *echo) Invoices(_ context.Context, p commerce.Principal, page commerce.Cursor) (*commerce.InvoicePage, error) {
	e.wait()
	return &commerce.InvoicePage{EndCursor: heard(p, page)}, nil
}

func (e *echo) Orders(_ context.Context, p commerce.Principal, page commerce.Cursor) (*commerce.OrderPage, error) {
	e.wait()
	return &commerce.OrderPage{EndCursor: heard(p, page)}, nil
}

func (e *echo) Order(_ context.Context, p commerce.Principal, number commerce.OrderNumber) (*commerce.Order, error) {
	e.wait()
	return &commerce.Order{Number: commerce.OrderNumber(heard(p, number))}, nil
}

func (e *echo) GuestOrder(_ context.Context, number commerce.OrderNumber) (*commerce.Order, error) {
	e.wait()
	return &commerce.Order{Number: commerce.OrderNumber(heard(number))}, nil
}

var nothing = func() commerce.Money {
	m, err := commerce.NewMoney("0.00", "USD")
	if err != nil {
		panic(err)
	}
	return m
}()

func (e *echo) ports(scope commerce.Scope) commerce.Ports {
	traits := map[commerce.Operation]commerce.Traits{}
	for op := range policies {
		traits[op] = commerce.Traits{System: "echo", Operation: op, Access: commerce.Read, Scope: scope}
	}
	return commerce.Ports{
		Catalog: e, Related: e, Content: e, Reviews: e, Inventory: e, Pricing: e, Categories: e, Search: e,
		Customers: e, Loyalty: e, Invoices: e, OrderHistory: e, Traits: traits,
	}
}

// curious is who asks what.
type curious struct {
	At    int // ms
	Node  int
	Who   commerce.Principal
	In    commerce.Market
	Group commerce.PriceGroup
	Word  string // a key or an argument
	Page  commerce.Cursor
	Query commerce.SearchQuery
	N     int
}

// Few words that run into each other, so that people and questions are often nearly alike.
var words = rapid.SampledFrom([]string{"a", "b", "ab", "a b", "a\x00b", "\x01a", "1", "11", "#a"})

var somebody = rapid.Custom(func(r *rapid.T) curious {
	word := func(name string) string { return words.Draw(r, name) }
	q := curious{
		In:    commerce.Market{Channel: word("channel"), Locale: word("locale"), Currency: word("currency"), Country: word("country")},
		Group: commerce.PriceGroup(rapid.SampledFrom([]string{"", "a", "b"}).Draw(r, "group")),
		Word:  word("word"), N: rapid.IntRange(1, 2).Draw(r, "n"), Page: commerce.Cursor{First: rapid.IntRange(1, 2).Draw(r, "first"), After: word("after")},
	}
	q.Who = commerce.Principal{Tenant: word("tenant"), Email: word("email"), EmailVerified: rapid.Bool().Draw(r, "verified")}
	if rapid.IntRange(0, 4).Draw(r, "known") > 0 {
		q.Who.Subject = word("subject")
	}
	q.Query = commerce.SearchQuery{Text: q.Word, First: q.N}
	return q
})

// changes make somebody somebody else, or their question another one.
var changes = []func(q *curious, word string){
	func(q *curious, w string) { q.In.Channel = w },
	func(q *curious, w string) { q.In.Locale = w },
	func(q *curious, w string) { q.In.Currency = w },
	func(q *curious, w string) { q.In.Country = w },
	func(q *curious, w string) { q.In.Channel, q.In.Locale = q.In.Channel+q.In.Locale, "" },
	func(q *curious, w string) { q.Group = commerce.PriceGroup(w) },
	func(q *curious, w string) { q.Who.Tenant = w },
	func(q *curious, w string) { q.Who.Subject = w },
	func(q *curious, _ string) { q.Who.Subject = "" },
	func(q *curious, w string) { q.Who.Tenant, q.Who.Subject = q.Who.Subject, w },
	func(q *curious, w string) { q.Who.Email = w },
	func(q *curious, _ string) { q.Who.EmailVerified = !q.Who.EmailVerified },
	func(q *curious, w string) { q.Who.PriceGroup = commerce.PriceGroup(w) },
	func(q *curious, w string) { q.Who.Claims = map[string]string{"id": w} },
	func(q *curious, w string) { q.Who.Claims = map[string]string{w: "id"} },
	func(q *curious, w string) { q.Word, q.Query.Text = w, w },
	func(q *curious, _ string) { q.N = 3 - q.N; q.Query.First = q.N },
	func(q *curious, w string) { q.Page.After, q.Query.After = w, w },
	func(q *curious, _ string) { q.Page.First = 3 - q.Page.First },
	func(q *curious, _ string) { q.Query.Filter.InStock = !q.Query.Filter.InStock },
	func(q *curious, w string) { q.Query.Filter.Facets = map[string][]string{w: {"a", "b"}} },
	func(q *curious, w string) { q.Query.Filter.Category = commerce.CategoryID(w) },
	func(q *curious, w string) { q.Query.Filter.PriceMin = w },
	func(q *curious, w string) { q.Query.Filter.PriceMax = w },
	func(q *curious, w string) { q.Query.Sort = commerce.Sort(w) },
}

// visitors are somebody, a few times, and others who differ from them in one thing.
var visitors = rapid.Custom(func(r *rapid.T) []curious {
	first := somebody.Draw(r, "somebody")
	list := make([]curious, rapid.IntRange(2, 14).Draw(r, "visitors"))
	for i := range list {
		q := first
		if which := rapid.IntRange(-len(changes), len(changes)-1).Draw(r, "change"); which >= 0 {
			changes[which](&q, words.Draw(r, "word"))
		}
		q.At, q.Node = rapid.IntRange(0, 60).Draw(r, "at"), rapid.IntRange(0, 1).Draw(r, "node")
		list[i] = q
	}
	return list
})

// questions is how many a visitor has.
const questions = 14

// ask is what q is answered to one of the questions, and what it has to be answered.
func (q curious) ask(which int, p commerce.Ports) (got, want string, err error) {
	ctx, sku := context.Background(), commerce.SKU(q.Word)
	switch which {
	case 0:
		return of(p.Catalog.Products(ctx, q.In, []commerce.SKU{sku}))(sku, func(v *commerce.Product) string { return v.Name }, heard(priceless(q.In), sku))
	case 1:
		return of(p.Related.Related(ctx, q.In, []commerce.SKU{sku}))(sku, func(v []commerce.RelatedProduct) string { return v[0].Name }, heard(priceless(q.In), sku))
	case 2:
		id := commerce.PageID(q.Word)
		return of(p.Content.Pages(ctx, q.In, []commerce.PageID{id}))(id, func(v *commerce.Page) string { return v.Title }, heard(priceless(q.In), id))
	case 3:
		return of(p.Reviews.Reviews(ctx, q.In, []commerce.SKU{sku}))(sku, func(v *commerce.ReviewSummary) string { return string(v.SKU) }, heard(priceless(q.In), sku))
	case 4:
		return of(p.Inventory.Availability(ctx, q.In, []commerce.SKU{sku}))(sku, func(v *commerce.Availability) string { return string(v.SKU) }, heard(priceless(q.In), sku))
	case 5:
		k := commerce.PriceKey{SKU: sku, Quantity: q.N}
		return of(p.Pricing.Prices(ctx, q.In, q.Group, []commerce.PriceKey{k}))(k, func(v *commerce.Price) string { return string(v.SKU) }, heard(q.In, q.Group, k))
	case 6:
		v, err := p.Categories.Tree(ctx, q.In)
		if err != nil {
			return "", "", err
		}
		return v.Roots[0].Name, heard(priceless(q.In)), nil
	case 7:
		v, err := p.Search.Search(ctx, q.In, q.Query)
		return read(v, err, func(v *commerce.SearchResult) string { return v.EndCursor }, heard(q.In, q.Query))
	case 8:
		v, err := p.Customers.Customer(ctx, q.Who)
		return read(v, err, func(v *commerce.Customer) string { return v.FirstName }, heard(q.Who))
	case 9:
		v, err := p.Loyalty.Loyalty(ctx, q.Who)
		return read(v, err, func(v *commerce.LoyaltyAccount) string { return v.Level }, heard(q.Who))
	case 10:
		v, err := p.Invoices.Invoices(ctx, q.Who, q.Page)
		return read(v, err, func(v *commerce.InvoicePage) string { return v.EndCursor }, heard(q.Who, q.Page))
	case 11:
		v, err := p.OrderHistory.Orders(ctx, q.Who, q.Page)
		return read(v, err, func(v *commerce.OrderPage) string { return v.EndCursor }, heard(q.Who, q.Page))
	case 12:
		v, err := p.OrderHistory.Order(ctx, q.Who, commerce.OrderNumber(q.Word))
		return read(v, err, func(v *commerce.Order) string { return string(v.Number) }, heard(q.Who, commerce.OrderNumber(q.Word)))
	default:
		v, err := p.OrderHistory.GuestOrder(ctx, commerce.OrderNumber(q.Word))
		return read(v, err, func(v *commerce.Order) string { return string(v.Number) }, heard(commerce.OrderNumber(q.Word)))
	}
}

func read[V any](v V, err error, text func(V) string, want string) (string, string, error) {
	if err != nil {
		return "", "", err
	}
	return text(v), want, nil
}

func of[K comparable, V any](found map[K]V, err error) func(K, func(V) string, string) (string, string, error) {
	return func(k K, text func(V) string, want string) (string, string, error) {
		return read(found[k], err, text, want)
	}
}

// Anyone asks any port anything, in two processes with one Redis, at once and one after
// another: everybody is answered what they asked, as who they are, where they are.
func TestC19_EverybodyIsAnsweredTheirOwn(t *testing.T) {
	t.Parallel()
	asked, calls := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		list := visitors.Draw(r, "visitors")
		scope := rapid.SampledFrom([]commerce.Scope{commerce.ScopePublic, commerce.ScopePublic, commerce.ScopeSegment, commerce.ScopeSession, commerce.ScopeCustomer}).Draw(r, "scope")
		boards := rapid.Bool().Draw(r, "boards") // who asks within a moment does, as far as they may
		var wrong []string
		synctest.Test(t, func(*testing.T) {
			up, server := &echo{}, miniredis.NewMiniRedis()
			var nodes []*Cache
			var ports []commerce.Ports
			for range 2 {
				c, err := onWire(&wire{server: server})
				if err != nil {
					wrong = append(wrong, err.Error())
					return
				}
				if boards {
					c.pause = func() { time.Sleep(5 * time.Millisecond) }
				}
				nodes, ports = append(nodes, c), append(ports, c.Wrap(up.ports(scope)))
			}
			time.Sleep(100 * time.Millisecond) // they hear each other
			var mu sync.Mutex
			var all sync.WaitGroup
			for i := range questions * len(list) {
				q, which := list[i/questions], i%questions
				all.Go(func() {
					time.Sleep(time.Duration(q.At) * time.Millisecond)
					got, want, err := q.ask(which, ports[q.Node])
					mu.Lock()
					defer mu.Unlock()
					if err != nil || got != want {
						wrong = append(wrong, fmt.Sprintf("%d: %+v was answered %s, %v", which, q, got, err))
					}
				})
			}
			all.Wait()
			for _, c := range nodes {
				if err := c.Close(); err != nil {
					wrong = append(wrong, err.Error())
				}
			}
			server.Close()
			asked, calls = asked+questions*len(list), calls+up.calls
		})
		if len(wrong) > 0 {
			r.Fatal(strings.Join(wrong, "\n"))
		}
	})
	t.Logf("%d asked, %d calls", asked, calls)
	assert.Less(t, calls, asked*9/10, "something has to be shared for this to prove anything")
}
