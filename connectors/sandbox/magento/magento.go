// Package magento imitates the REST API of Magento 2.4 over the shared world:
// guest carts, the admin routes on carts, orders and customers behind an OAuth
// 1.0a integration, and the oddities that integrators meet (empty objects as
// [], a page past the end that repeats the last one, messages whose
// placeholders nobody filled).
//
// The shop is one website a currency: the stores "default" (USD), "eur" and
// "gbp". A customer has one cart in each. Carts live in this package and are
// forgotten when the world is reset; orders and stock are the world's.
package magento

import (
	"crypto/rand"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// Options are the integration's credentials. Empty ones take the sandbox's defaults.
type Options struct {
	ConsumerKey    string
	ConsumerSecret string
	Token          string
	TokenSecret    string
	Now            func() time.Time // judges OAuth timestamps; nil means time.Now
}

// The credentials that the zero Options stand for.
const (
	DefaultConsumerKey    = "sandbox-consumer"
	DefaultConsumerSecret = "sandbox-consumer-secret"
	DefaultToken          = "sandbox-token"
	DefaultTokenSecret    = "sandbox-token-secret"
)

func (o *Options) fill() {
	for _, f := range []struct {
		field *string
		value string
	}{
		{&o.ConsumerKey, DefaultConsumerKey},
		{&o.ConsumerSecret, DefaultConsumerSecret},
		{&o.Token, DefaultToken},
		{&o.TokenSecret, DefaultTokenSecret},
	} {
		if *f.field == "" {
			*f.field = f.value
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// store is a store view; each is a website of its own.
type store struct {
	ID       int
	Code     string
	Currency string
	Locale   string
}

// stores are the shop's store views; "all" is the admin's view of them, at first's prices.
var stores = []store{
	{1, "default", "USD", "en_US"},
	{2, "eur", "EUR", "fr_FR"},
	{3, "gbp", "GBP", "en_GB"},
}

func storeByCode(code string) (store, bool) {
	if code == "all" {
		return stores[0], true
	}
	i := slices.IndexFunc(stores, func(s store) bool { return s.Code == code })
	if i < 0 {
		return store{}, false
	}
	return stores[i], true
}

// shop is the dialect's state.
type shop struct {
	world *world.World
	oauth *verifier

	mu       sync.Mutex
	quotes   map[int]*quote
	masked   map[string]int // a guest's secret → quote id
	lastID   int
	lastItem int
}

// New answers the dialect, to be mounted with its prefix stripped: it serves /rest/….
func New(w *world.World, opts Options) http.Handler {
	opts.fill()
	s := &shop{world: w, oauth: newVerifier(opts), lastID: firstID(opts.Now())}
	s.reset()
	w.OnReset(s.reset)
	return s
}

// firstID begins the numbers of carts where an earlier process cannot have come
// to: what others keep by cart id must never meet another cart of that id.
func firstID(now time.Time) int {
	const cartsPerSecond = 20
	since := now.Sub(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	return max(0, int(since.Seconds())) * cartsPerSecond
}

// reset forgets all carts. Ids go on counting, so that an old id never names a new cart.
func (s *shop) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quotes = map[int]*quote{}
	s.masked = map[string]int{}
}

// newQuote opens an empty cart. Callers hold the lock.
func (s *shop) newQuote(st store, customer *world.Customer) *quote {
	s.lastID++
	q := &quote{ID: s.lastID, Store: st, Customer: customer, Active: true, Created: s.world.Now()}
	q.Updated = q.Created
	if customer == nil {
		q.Masked = rand.Text() + rand.Text()[:6]
		s.masked[q.Masked] = q.ID
	}
	s.quotes[q.ID] = q
	return q
}

// maxBody is more than any body that the dialect understands.
const maxBody = 1 << 20

// ServeHTTP answers a call as Magento's web API front controller does.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		writeFault(w, badRequest("Decoding error."))
		return
	}
	answer, err := s.answer(r, body)
	if err != nil {
		writeFault(w, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *shop) answer(r *http.Request, body []byte) (any, error) {
	storeCode, segments, ok := split(r.URL)
	if !ok {
		return nil, errNoRoute
	}
	st, ok := storeByCode(storeCode)
	if !ok {
		return nil, errNoRoute
	}
	rt, args := match(r.Method, segments)
	if rt == nil {
		return nil, errNoRoute
	}
	if rt.resource != "" {
		if err := s.oauth.verify(r, rt.resource); err != nil {
			return nil, err
		}
	}
	if len(body) > 0 && !isJSON(r.Header.Get("Content-Type")) {
		return nil, badRequest("Server cannot understand Content-Type HTTP header media type %1", r.Header.Get("Content-Type"))
	}
	query := r.URL.Query()
	answer, err := rt.handle(s, &call{store: st, args: args, query: query, body: body, admin: rt.resource != ""})
	if err != nil || query.Get("fields") == "" {
		return answer, err
	}
	return trim(answer, parseFields(query.Get("fields")))
}
