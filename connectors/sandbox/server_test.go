package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client keeps no connections, so that nothing outlives a test.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// answered is what came back, as far as it came.
type answered struct {
	status int
	header http.Header
	body   string
	err    error // from sending, or from reading the body
}

func send(ctx context.Context, t *testing.T, method, url, body string) answered {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("X-API-Key", "sandbox-pimcore-key")
	res, err := client.Do(req)
	if err != nil {
		return answered{err: err}
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return answered{status: res.StatusCode, header: res.Header, body: string(text), err: err}
}

const (
	shop  = "/pimcore/pimcore-graphql-webservices/shop"
	count = `{"operationName":"count","query":"query count { getProductListing(first: 1) { totalCount } }"}`
)

func TestFaultsGoWrongTheirWay(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	ask := func(f sandbox.Fault) answered {
		f.System, f.Operation, f.ErrorRate = "pimcore", "count", 1
		box.ClearFaults(t)
		box.Faults(t, f)
		return send(t.Context(), t, http.MethodPost, box.URL+shop, count)
	}
	whole := send(t.Context(), t, http.MethodPost, box.URL+shop, count)
	require.Equal(t, http.StatusOK, whole.status)
	require.Contains(t, whole.body, `"totalCount":295`)

	got := ask(sandbox.Fault{})
	assert.Equal(t, http.StatusServiceUnavailable, got.status)
	assert.Contains(t, got.header.Get("Content-Type"), "text/html")

	got = ask(sandbox.Fault{Status: http.StatusTooManyRequests})
	assert.Equal(t, http.StatusTooManyRequests, got.status)

	got = ask(sandbox.Fault{Mode: sandbox.ModeReset})
	require.ErrorIs(t, got.err, syscall.ECONNRESET)

	got = ask(sandbox.Fault{Mode: sandbox.ModeTruncate})
	require.ErrorIs(t, got.err, io.ErrUnexpectedEOF)
	assert.Equal(t, http.StatusOK, got.status)
	assert.Equal(t, whole.body[:len(whole.body)/2], got.body)

	got = ask(sandbox.Fault{Mode: sandbox.ModeGarbage})
	require.NoError(t, got.err)
	assert.Equal(t, http.StatusOK, got.status)
	assert.Equal(t, "application/json", got.header.Get("Content-Type"))
	assert.False(t, json.Valid([]byte(got.body)))
}

func TestHangAndDripEndWithTheirCaller(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	for _, mode := range []string{sandbox.ModeHang, sandbox.ModeDrip} {
		box.Faults(t, sandbox.Fault{System: "pimcore", ErrorRate: 1, Mode: mode})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		got := send(ctx, t, http.MethodPost, box.URL+shop, count)
		cancel()
		require.ErrorIs(t, got.err, context.DeadlineExceeded, mode)
		assert.Less(t, len(got.body), 5, mode)
	}
}

func TestHangEndsWithTheServer(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	server, err := sandbox.New(sandbox.Config{})
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	<-server.Ready()
	url := "http://" + server.Addr()
	require.NoError(t, server.SetFault(sandbox.Fault{System: "*", ErrorRate: 1, Mode: sandbox.ModeHang}))
	var hanging sync.WaitGroup
	hanging.Go(func() {
		got := send(context.WithoutCancel(ctx), t, http.MethodPost, url+shop, count)
		assert.Error(t, got.err)
	})
	require.Eventually(t, func() bool { return server.Calls()["pimcore"]["count"] == 1 }, 30*time.Second, time.Millisecond)
	stop()
	require.NoError(t, <-served)
	hanging.Wait()
}

func TestLatencyAlone(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	box.Faults(t, sandbox.Fault{System: "pimcore", LatencyMs: 60})
	start := time.Now()
	got := send(t.Context(), t, http.MethodPost, box.URL+shop, count)
	assert.Equal(t, http.StatusOK, got.status)
	assert.GreaterOrEqual(t, time.Since(start), 60*time.Millisecond)
}

func TestTheNewestRuleDecides(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	status := func() int { return send(t.Context(), t, http.MethodPost, box.URL+shop, count).status }
	box.Faults(t,
		sandbox.Fault{System: "odoo", ErrorRate: 1},
		sandbox.Fault{System: "pimcore", ErrorRate: 1, Status: 500},
		sandbox.Fault{System: "pimcore", Operation: "other", ErrorRate: 1, Status: 501},
	)
	assert.Equal(t, 500, status(), "a rule for another operation does not match")
	box.Faults(t, sandbox.Fault{System: "pimcore", Operation: "count", ErrorRate: 1, Status: 502})
	assert.Equal(t, 502, status())
	box.Faults(t, sandbox.Fault{System: "pimcore", Operation: "count", ErrorRate: 1, Status: 504})
	assert.Equal(t, 504, status(), "the same system and operation is replaced")
	assert.Len(t, box.Server.Faults(), 4)
	box.Faults(t, sandbox.Fault{System: "pimcore", Operation: "count"})
	assert.Equal(t, 200, status(), "a rule without anything exempts")
	box.Faults(t, sandbox.Fault{System: "*", ErrorRate: 1, Status: 599})
	assert.Equal(t, 599, status())
	box.ClearFaults(t)
	assert.Equal(t, 200, status())
}

func TestControlNamesTheFieldThatIsWrong(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	bad := map[string]string{
		`{"system":"oddo"}`:                               "system",
		`{}`:                                              "system",
		`{"system":"odoo","latencyMs":-1}`:                "latencyMs",
		`{"system":"odoo","latencyMs":120001}`:            "latencyMs",
		`{"system":"odoo","latencyMs":"1"}`:               "latencyMs",
		`{"system":"odoo","errorRate":1.01}`:              "errorRate",
		`{"system":"odoo","errorRate":-0.1}`:              "errorRate",
		`{"system":"odoo","jitter":"normal"}`:             "jitter",
		`{"system":"odoo","mode":"sulk"}`:                 "mode",
		`{"system":"odoo","status":200}`:                  "status",
		`{"system":"odoo","status":600}`:                  "status",
		`{"system":"odoo","status":600,"mode":"garbage"}`: "status",
		`{"system":"odoo","operations":"*"}`:              "operations",
		`{"system":"odoo"} {}`:                            "",
		`[]`:                                              "",
		``:                                                "",
	}
	for body, field := range bad {
		got := send(t.Context(), t, http.MethodPost, box.URL+"/_sandbox/faults", body)
		assert.Equal(t, http.StatusBadRequest, got.status, body)
		var fault sandbox.FieldError
		require.NoError(t, json.Unmarshal([]byte(got.body), &fault), got.body)
		assert.Equal(t, field, fault.Field, body)
		assert.NotEmpty(t, fault.Message)
	}
	assert.Empty(t, box.Server.Faults())

	good := `{"system":"odoo","operation":"*","latencyMs":0,"jitter":"none","errorRate":0.5,"status":503,"mode":"status"}`
	got := send(t.Context(), t, http.MethodPost, box.URL+"/_sandbox/faults", good)
	require.Equal(t, http.StatusOK, got.status, got.body)
	want := sandbox.Fault{System: "odoo", Operation: "*", Jitter: "none", ErrorRate: 0.5, Status: 503, Mode: "status"}
	assert.Equal(t, []sandbox.Fault{want}, box.Server.Faults())
	assert.JSONEq(t, got.body, send(t.Context(), t, http.MethodGet, box.URL+"/_sandbox/faults", "").body)

	got = send(t.Context(), t, http.MethodPost, box.URL+"/_sandbox/faults", `{"system":"magento","mode":"reset"}`)
	require.Equal(t, http.StatusOK, got.status, got.body)
	assert.InDelta(t, 1, box.Server.Faults()[1].ErrorRate, 0, "a mode without a rate means always")
	assert.Equal(t, http.StatusNoContent, send(t.Context(), t, http.MethodDelete, box.URL+"/_sandbox/faults", "").status)
	assert.Empty(t, box.Server.Faults())
}

// A rule written with every field is taken whatever its mode and rate: who has one that works changes one word of it.
func TestFaultsMayNameEveryField(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	for _, mode := range []string{"status", "hang", "reset", "truncate", "garbage", "drip"} {
		for _, rate := range []string{"0", "0.5", "1"} {
			rule := `{"system":"odoo","operation":"*","latencyMs":0,"jitter":"none","errorRate":` + rate + `,"status":503,"mode":"` + mode + `"}`
			got := send(t.Context(), t, http.MethodPost, box.URL+"/_sandbox/faults", rule)
			require.Equal(t, http.StatusOK, got.status, "%s: %s", rule, got.body)
			set := box.Server.Faults()
			require.Len(t, set, 1, "replaced")
			assert.Equal(t, mode, set[0].Mode)
			if mode == sandbox.ModeStatus {
				assert.Equal(t, 503, set[0].Status)
			} else {
				assert.Zero(t, set[0].Status, "the answer has no status of its own")
			}
		}
	}
}

func TestErrorRateIsAShare(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	box.Faults(t, sandbox.Fault{System: "pimcore", ErrorRate: 0.5})
	failed := 0
	for range 200 {
		if send(t.Context(), t, http.MethodPost, box.URL+shop, "{}").status == http.StatusServiceUnavailable {
			failed++
		}
	}
	assert.InDelta(t, 100, failed, 50)
}

func TestCallsAndBytesAreCounted(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	got := send(t.Context(), t, http.MethodPost, box.URL+shop, count)
	box.Faults(t, sandbox.Fault{System: "pimcore", ErrorRate: 1, Mode: sandbox.ModeReset})
	send(t.Context(), t, http.MethodPost, box.URL+shop, count)
	assert.Equal(t, map[string]map[string]int{"pimcore": {"count": 2}}, box.Calls(t), "failed calls count as well")
	assert.Equal(t, map[string]int64{"pimcore": int64(len(got.body))}, box.Server.Bytes())
	assert.JSONEq(t, `{"pimcore":{"count":2}}`, send(t.Context(), t, http.MethodGet, box.URL+"/_sandbox/calls", "").body)
	assert.Equal(t, http.StatusNoContent, send(t.Context(), t, http.MethodDelete, box.URL+"/_sandbox/calls", "").status)
	assert.JSONEq(t, `{}`, send(t.Context(), t, http.MethodGet, box.URL+"/_sandbox/calls", "").body)
	assert.JSONEq(t, `{}`, send(t.Context(), t, http.MethodGet, box.URL+"/_sandbox/bytes", "").body)
}

func TestLargeBodiesAreRefusedUncounted(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	got := send(t.Context(), t, http.MethodPost, box.URL+shop, strings.Repeat(" ", 1<<20+1))
	assert.Equal(t, http.StatusRequestEntityTooLarge, got.status)
	assert.Empty(t, box.Calls(t))
}

func TestResetGoesBackToTheStart(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	send(t.Context(), t, http.MethodPost, box.URL+shop, count)
	box.Faults(t, sandbox.Fault{System: "pimcore", ErrorRate: 1})
	resets := 0
	box.Server.World.OnReset(func() { resets++ })
	assert.Equal(t, http.StatusNoContent, send(t.Context(), t, http.MethodPost, box.URL+"/_sandbox/reset", "").status)
	assert.Equal(t, 1, resets)
	assert.Empty(t, box.Server.Faults())
	assert.Empty(t, box.Calls(t))
}

func TestTokensVerifyAgainstTheKeySet(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	got := send(t.Context(), t, http.MethodPost, box.URL+"/_sandbox/token", `{"customer":"AW00011000"}`)
	require.Equal(t, http.StatusOK, got.status, got.body)
	var sent struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(got.body), &sent))
	claims := verify(t, box.URL, sent.Token)
	customer := box.Server.World.Customer("AW00011000")
	assert.Equal(t, "AW00011000", claims["sub"])
	assert.Equal(t, customer.Email, claims["email"])
	assert.Equal(t, true, claims["email_verified"])
	assert.Equal(t, "default", claims["tenant"])
	assert.Equal(t, "retail", claims["price_group"])
	assert.Equal(t, "wholesale", verify(t, box.URL, box.Token(t, "AW00000001"))["price_group"])
	expires, err := claims.GetExpirationTime()
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now().Add(time.Hour), expires.Time, time.Minute)

	for body, status := range map[string]int{`{"customer":"AW99999999"}`: 404, `{"customer":""}`: 404, `{"costumer":"x"}`: 400, `{"customer":1}`: 400} {
		assert.Equal(t, status, send(t.Context(), t, http.MethodPost, box.URL+"/_sandbox/token", body).status, body)
	}
}

func TestCustomersToTry(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	var list []struct {
		Customer, Email, PriceGroup string
		Orders                      int
	}
	got := send(t.Context(), t, http.MethodGet, box.URL+"/_sandbox/customers", "")
	require.NoError(t, json.Unmarshal([]byte(got.body), &list))
	kinds := map[string]int{}
	for _, c := range list {
		box.Token(t, c.Customer)
		kind := c.PriceGroup
		if c.Orders > 0 {
			kind += " with history"
		}
		kinds[kind]++
	}
	assert.Equal(t, map[string]int{"retail": 2, "retail with history": 2, "wholesale": 2, "wholesale with history": 2}, kinds)
	assert.Equal(t, "AW00011000", list[0].Customer)
}

func TestServeReportsAnAddressInUse(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	first, err := sandbox.New(sandbox.Config{})
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- first.Serve(ctx) }()
	<-first.Ready()
	second, err := sandbox.New(sandbox.Config{Addr: first.Addr()})
	require.NoError(t, err)
	require.ErrorIs(t, second.Serve(ctx), syscall.EADDRINUSE)
	stop()
	require.NoError(t, <-served)
}

// verify checks a token as the edge does, with the published key.
func verify(t *testing.T, url, token string) jwt.MapClaims {
	t.Helper()
	got := send(t.Context(), t, http.MethodGet, url+"/_sandbox/jwks.json", "")
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(tok *jwt.Token) (any, error) {
		key, ok := publicKeys(t, got.body)[tok.Header["kid"].(string)]
		if !ok {
			return nil, errors.New("no such key")
		}
		return key, nil
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer("https://sandbox.portico.invalid"), jwt.WithAudience("portico"), jwt.WithExpirationRequired())
	require.NoError(t, err)
	return claims
}

// TestEverySystemAnswersAndIsCounted asks each system something that its dialect knows, without its key.
func TestEverySystemAnswersAndIsCounted(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	calls := map[string]struct{ method, path, operation string }{
		"pimcore":       {http.MethodPost, "/pimcore-graphql-webservices/shop", "count"},
		"elasticsearch": {http.MethodPost, "/products/_search", "_search"},
		"odoo":          {http.MethodPost, "/json/2/product.product/search_read", "product.product.search_read"},
		"openloyalty":   {http.MethodGet, "/api/customer/1", "GET /api/customer/{id}"},
		"magento":       {http.MethodGet, "/rest/eur/V1/carts/7/totals", "GET /V1/carts/{id}/totals"},
	}
	for system, call := range calls {
		box.Faults(t, sandbox.Fault{System: system, Operation: call.operation, ErrorRate: 1, Status: 555})
		got := send(t.Context(), t, call.method, box.URL+"/"+system+call.path, count)
		assert.Equal(t, 555, got.status, system)
		assert.Equal(t, map[string]int{call.operation: 1}, box.Calls(t)[system])
		box.Faults(t, sandbox.Fault{System: system, Operation: call.operation})
		got = send(t.Context(), t, call.method, box.URL+"/"+system+call.path, count)
		assert.NotEqual(t, 555, got.status, system)
		assert.Positive(t, box.Server.Bytes()[system])
	}
}
