package bffweb

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/bff-web/internal/live"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/edge/cors"
	"github.com/portico-bff/portico/edge/idempotency"
	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/edge/telemetry"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shop is the channel over a shop in memory.
type shop struct {
	*commercetest.Shop
	handler   http.Handler
	admin     http.Handler // of a shop over the imitated systems
	log       *commercetest.Log
	documents *documents.Store
	live      live.Config
	sessions  *sessions
	desk      *live.Desk
}

// tokens stands in for the issuer: "Bearer C1" is customer C1.
type tokens struct{ commercetest.Fixture }

func (v tokens) Verify(_ context.Context, authorization string) (commerce.Principal, error) {
	switch authorization {
	case "":
		return commerce.Principal{Tenant: "default"}, nil
	case "Bearer C1":
		return v.Customer, nil
	case "Bearer C2":
		return v.Neighbor, nil
	case "Bearer T1": // C1 of another tenant: the same subject, somebody else
		return commerce.Principal{Tenant: "other", Subject: v.Customer.Subject, Email: "tia@example.test", EmailVerified: true}, nil
	case "Bearer W1", "Bearer W2": // two who pay the wholesale price
		return commerce.Principal{Tenant: "default", Subject: authorization, Email: authorization[7:] + "@example.test", EmailVerified: true, PriceGroup: "wholesale"}, nil
	case "Bearer nobody-up":
		return commerce.Principal{}, commerce.ErrUnavailable
	}
	return commerce.Principal{}, commerce.ErrUnauthenticated
}

// sessions are tokens that end, where a test says so.
type sessions struct {
	tokens

	mu      sync.Mutex
	ends    time.Time // zero: never
	revoked bool
	became  string // another token, whose owner every token has now

	verified atomic.Int64 // so often somebody asked who it is
}

func (s *sessions) Verify(ctx context.Context, authorization string) (commerce.Principal, error) {
	s.verified.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if authorization != "" && s.became != "" {
		authorization = s.became
	}
	p, err := s.tokens.Verify(ctx, authorization)
	if err == nil && !p.Anonymous() {
		p.Expires = s.ends
		if s.revoked || !s.ends.IsZero() && !time.Now().Before(s.ends) {
			return commerce.Principal{}, commerce.ErrUnauthenticated
		}
	}
	return p, err
}

// end has tokens end at a time.
func (s *sessions) end(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends = at
}

// revoke has tokens be good no longer, whatever they say of their end.
func (s *sessions) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = true
}

// become has every token be that of another.
func (s *sessions) become(authorization string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.became = authorization
}

// open opens a shop that answers free text; change may alter the backend before it
// serves.
func open(t testing.TB, change ...func(*edge.Backend)) *shop {
	t.Helper()
	return opened(t, documents.Config{Open: true}, change...)
}

// opened is open with other documents.
func opened(t testing.TB, cfg documents.Config, change ...func(*edge.Backend)) *shop {
	t.Helper()
	var bounds live.Config
	require.NoError(t, config.Decode(nil, "", &bounds))
	return openedFor(t, cfg, bounds, change...)
}

// openedFor is opened with other bounds for who watches.
func openedFor(t testing.TB, cfg documents.Config, bounds live.Config, change ...func(*edge.Backend)) *shop {
	t.Helper()
	s := &shop{Shop: commercetest.NewShop(), log: &commercetest.Log{}}
	s.live = bounds
	s.sessions = &sessions{tokens: tokens{s.Fixture()}}
	b := &edge.Backend{Ports: s.Ports()}
	require.NoError(t, config.Decode(nil, "", &b.Config.Limits))
	b.Config.Mode = edge.Production
	var markets market.Config
	require.NoError(t, config.Decode(nil, "", &markets))
	var err error
	b.Markets, err = market.New(markets)
	require.NoError(t, err)
	b.CORS, err = cors.New(cors.Config{Origins: []string{"https://shop.example"}})
	require.NoError(t, err)
	b.Telemetry, err = telemetry.New(telemetry.Config{LogLevel: slog.LevelDebug, Out: s.log}, "web")
	require.NoError(t, err)
	b.Log = b.Telemetry.Log()
	for _, c := range change {
		c(b)
	}
	book := ledger.NewMemory()
	timeout := b.Config.Limits.RequestTimeout
	b.Idempotency = idempotency.New(book, timeout, b.Log)
	key := commerce.Secret(strings.Repeat("k", 32))
	b.Orders = ordering.New(ordering.Config{TokenKey: key}, ordering.Deps{Ports: b.Ports, Ledger: book, Timeout: timeout, Log: b.Log})
	s.documents, err = documents.Open(t.Context(), cfg, documents.Deps{Rules: rules(b.Config), Log: b.Log, Meter: b.Telemetry.Meter()})
	require.NoError(t, err)
	t.Cleanup(s.documents.Close)
	s.desk, err = live.NewDesk(s.live, live.Deps{Hub: b.Watch, Meter: b.Telemetry.Meter()})
	require.NoError(t, err)
	s.handler = routes(stack{desk: s.desk, Backend: b, verifier: s.sessions, published: s.documents}, Config{Config: b.Config, Live: s.live})
	return s
}

// answer is what came back.
type answer struct {
	Status int
	Header http.Header
	Raw    string
	Data   map[string]any `json:"data"`
	Errors []struct {
		Message    string         `json:"message"`
		Path       []any          `json:"path"`
		Extensions map[string]any `json:"extensions"`
	} `json:"errors"`
	Extensions struct {
		Freshness []struct {
			Path         []any  `json:"path"`
			Source       string `json:"source"`
			State        string `json:"state"`
			AgeMS        int64  `json:"ageMs"`
			Reason       string `json:"reason"`
			RetryAfterMS int64  `json:"retryAfterMs"`
		} `json:"freshness"`
	} `json:"extensions"`
}

// codes of the errors, in order.
func (a answer) codes() []string {
	var list []string
	for _, e := range a.Errors {
		code, _ := e.Extensions["code"].(string)
		list = append(list, code)
	}
	return list
}

func (s *shop) send(t testing.TB, r *http.Request) answer {
	t.Helper()
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	res := w.Result()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	a := answer{Status: res.StatusCode, Header: res.Header, Raw: string(body)}
	if strings.Contains(res.Header.Get("Content-Type"), "json") {
		require.NoError(t, json.Unmarshal(body, &a), "%s", body)
	}
	return a
}

// header is a request header to set: name, value.
type header [2]string

// post sends a JSON body as it is.
func (s *shop) post(t testing.TB, body string, headers ...header) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://portico.test/graphql", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		r.Header.Set(h[0], h[1])
	}
	return s.send(t, r)
}

// query sends a query with variables.
func (s *shop) query(t testing.TB, query string, variables map[string]any, headers ...header) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(t, err)
	return s.post(t, string(body), headers...)
}

// ok sends a query that must not meet any error.
func (s *shop) ok(t testing.TB, query string, variables map[string]any, headers ...header) answer {
	t.Helper()
	a := s.query(t, query, variables, headers...)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Empty(t, a.Errors, a.Raw)
	return a
}

// at follows a way of object keys and list indexes into data.
func at(t *testing.T, v any, way ...any) any {
	t.Helper()
	for _, step := range way {
		switch step := step.(type) {
		case string:
			object, ok := v.(map[string]any)
			require.True(t, ok, "no object at %q in %v", step, v)
			v = object[step]
		case int:
			list, ok := v.([]any)
			require.True(t, ok && step < len(list), "no entry %d in %v", step, v)
			v = list[step]
		}
	}
	return v
}
