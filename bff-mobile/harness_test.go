package bffmobile

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/bff-mobile/internal/lifecycle"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/edge/events"
	"github.com/portico-bff/portico/edge/idempotency"
	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/edge/telemetry"
	"github.com/portico-bff/portico/edge/turns"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// fasthttp refreshes its clock for Date headers for as long as the process lives, and a
		// stopped server's pool looks up from its sleep only seconds later to see that it ended.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	)
}

// apps are what the channel knows of its apps: there is a minimum for one platform only.
var apps = lifecycle.Config{
	IOS: lifecycle.App{Minimum: "2.4", Latest: "2.7.1", StoreURL: "https://apps.apple.com/app/id1"}, Flags: map[string]bool{"newCheckout": true},
}

// shop is the channel over a shop in memory.
type shop struct {
	*commercetest.Shop
	app *App
	log *commercetest.Log
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
	case "Bearer C9":
		return v.Nobody, nil
	case "Bearer no-keys":
		return commerce.Principal{}, &commerce.CallError{System: "identity", Kind: commerce.ErrUnavailable}
	}
	return commerce.Principal{}, commerce.ErrUnauthenticated
}

// open opens a shop; change may alter the backend before it serves. Requests wait in line as
// they do in what is shipped.
func open(t testing.TB, change ...func(*edge.Backend)) *shop {
	return openLate(t, lateFrom(t), change...)
}

// lateFrom is what is shipped.
func lateFrom(t testing.TB) time.Duration {
	t.Helper()
	var shipped Channel
	require.NoError(t, config.Decode(nil, "", &shipped))
	return shipped.LateFrom
}

// openLate opens a shop where requests wait in line from such a lateness on; 0: none does,
// for tests that need all of many requests inside, however late this process is, which its
// clients are in.
func openLate(t testing.TB, lateFrom time.Duration, change ...func(*edge.Backend)) *shop {
	t.Helper()
	s := &shop{Shop: commercetest.NewShop(), log: &commercetest.Log{}}
	b := &edge.Backend{Ports: s.Ports()}
	require.NoError(t, config.Decode(nil, "", &b.Config.Limits))
	var markets market.Config
	require.NoError(t, config.Decode(nil, "", &markets))
	var err error
	b.Markets, err = market.New(markets)
	require.NoError(t, err)
	b.Telemetry, err = telemetry.New(telemetry.Config{LogLevel: slog.LevelDebug, Out: s.log}, "mobile")
	require.NoError(t, err)
	b.Log = b.Telemetry.Log()
	for _, c := range change {
		c(b)
	}
	if b.Journal == nil {
		b.Journal = events.NewJournal(nil, b.Events, nil, b.Log)
	}
	book := ledger.NewMemory()
	timeout := b.Config.Limits.RequestTimeout
	b.Idempotency = idempotency.New(book, timeout, b.Log)
	if b.Turns == nil {
		b.Turns = turns.New(book, b.Log)
	}
	b.Ports = b.Turns.Wrap(b.Ports)
	key := commerce.Secret(strings.Repeat("k", 32))
	b.Orders = ordering.New(ordering.Config{TokenKey: key}, ordering.Deps{Ports: b.Ports, Ledger: book, Timeout: timeout, Log: b.Log})
	channel := Channel{Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", HomePage: "home", LateFrom: lateFrom, Apps: apps}
	s.app, err = newApp(channel, b, tokens{s.Fixture()})
	require.NoError(t, err)
	return s
}

// answer is what came back.
type answer struct {
	Status int
	Header http.Header
	Raw    string
}

// call is a request to send: a body that is not empty is JSON unless a header says otherwise.
type call struct {
	method, path, body string
	headers            []string // name, value, name, value
}

// without in a header's place leaves it out.
const without = "\x00"

func get(path string, headers ...string) call { return call{"GET", path, "", headers} }

func (c call) request(t testing.TB) *http.Request {
	t.Helper()
	var body io.Reader
	if c.body != "" {
		body = strings.NewReader(c.body)
	}
	r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, body)
	if c.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("X-Request-Id", "test")
	if c.method != "GET" && c.method != "HEAD" {
		r.Header.Set("Idempotency-Key", ledger.Token()) // a fresh one, unless the test has its own
	}
	for i := 0; i+1 < len(c.headers); i += 2 {
		if c.headers[i+1] == without {
			r.Header.Del(c.headers[i])
			continue
		}
		r.Header.Set(c.headers[i], c.headers[i+1])
	}
	return r
}

func (s *shop) send(t testing.TB, c call) answer {
	t.Helper()
	return s.sent(t, c.request(t))
}

func (s *shop) sent(t testing.TB, r *http.Request) answer {
	t.Helper()
	res, err := s.app.Test(r)
	require.NoError(t, err)
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return answer{Status: res.StatusCode, Header: res.Header, Raw: string(raw)}
}

// ok sends a request that has to succeed.
func (s *shop) ok(t testing.TB, c call) answer {
	t.Helper()
	a := s.send(t, c)
	require.Less(t, a.Status, 400, "%s %s: %s", c.method, c.path, a.Raw)
	return a
}

// quietly sends a request from a goroutine that may not fail the test; it
// answers the status, or 0.
func (s *shop) quietly(r *http.Request) int {
	res, err := s.app.Test(r)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}
