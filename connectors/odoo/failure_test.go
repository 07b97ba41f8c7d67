package odoo_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/odoo"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

var usMarket = commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}

// every calls each port's operations once, with a cold cache.
var every = map[commerce.Operation]func(context.Context, commerce.Ports) error{
	commerce.OpPrices: func(ctx context.Context, p commerce.Ports) error {
		_, err := p.Pricing.Prices(ctx, usMarket, "retail", []commerce.PriceKey{{SKU: "HL-U509-R", Quantity: 1}})
		return err
	},
	commerce.OpAvailability: func(ctx context.Context, p commerce.Ports) error {
		_, err := p.Inventory.Availability(ctx, usMarket, []commerce.SKU{"HL-U509-R"})
		return err
	},
	commerce.OpOrders: func(ctx context.Context, p commerce.Ports) error {
		_, err := p.OrderHistory.Orders(ctx, someone, commerce.Cursor{First: 5})
		return err
	},
	commerce.OpOrder: func(ctx context.Context, p commerce.Ports) error {
		_, err := p.OrderHistory.Order(ctx, someone, "000000001")
		return err
	},
	commerce.OpGuestOrder: func(ctx context.Context, p commerce.Ports) error {
		_, err := p.OrderHistory.GuestOrder(ctx, "000000001")
		return err
	},
	commerce.OpInvoices: func(ctx context.Context, p commerce.Ports) error {
		_, err := p.Invoices.Invoices(ctx, someone, commerce.Cursor{First: 5})
		return err
	},
}

var someone = commerce.Principal{Tenant: "default", Subject: "AW1", Email: "canary-mail@example.test", EmailVerified: true}

const canary = "canary-3f9d"

// answering is a server that answers everything alike, and the connector to it.
func answering(t *testing.T, status int, contentType, body string) (commerce.Ports, *commercetest.Log) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	log := &commercetest.Log{}
	ports, err := odoo.New(odoo.Config{
		Config: transport.Config{BaseURL: server.URL, AllowPrivate: true, MaxAttempts: 1},
		APIKey: canary + "-key",
	}, transport.Deps{Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	require.NoError(t, err)
	return ports, log
}

func TestErrorBodies(t *testing.T) {
	t.Parallel()
	fault := func(name string) string {
		return `{"name":"` + name + `","message":"` + canary + `","arguments":["` + canary + `",401],"context":{},"debug":"Traceback: ` + canary + `"}`
	}
	for _, c := range []struct {
		name, contentType, body string
		status                  int
		kind                    error
	}{
		{"a key that is not accepted", "application/json", fault("werkzeug.exceptions.Unauthorized"), 401, commerce.ErrUnavailable},
		{"rights that are missing", "application/json", fault("odoo.exceptions.AccessError"), 403, commerce.ErrUnavailable},
		{"a model that does not exist", "application/json", fault("werkzeug.exceptions.NotFound"), 404, commerce.ErrUpstream},
		{"arguments that do not exist", "application/json", fault("werkzeug.exceptions.UnprocessableEntity"), 422, commerce.ErrUpstream},
		{"an error of theirs", "application/json", fault("builtins.ValueError"), 500, commerce.ErrUnavailable},
		{"a proxy's limit, in HTML", "text/html", "<h1>" + canary + "</h1>", 429, commerce.ErrRateLimited},
		{"a proxy's page", "text/html", "<h1>" + canary + "</h1>", 503, commerce.ErrUnavailable},
		{"no such database, in HTML", "text/html", "<h1>" + canary + "</h1>", 404, commerce.ErrUpstream},
		{"a login page", "text/html", "<form>" + canary + "</form>", 200, commerce.ErrUpstream},
		{"half a list", "application/json", `[{"id":1,"default_code":"` + canary, 200, commerce.ErrUpstream},
		{"another shape", "application/json", `{"result":"` + canary + `"}`, 200, commerce.ErrUpstream},
		{"a name that is no name", "application/json", `{"name":"` + canary + ` <script>"}`, 401, commerce.ErrUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ports, log := answering(t, c.status, c.contentType, c.body)
			for op, call := range every {
				err := call(t.Context(), ports)
				require.ErrorIs(t, err, c.kind, op)
				require.Equal(t, c.kind, commerce.KindOf(err), op)
				call, ok := errors.AsType[*commerce.CallError](err)
				require.True(t, ok, op)
				assert.Equal(t, odoo.System, call.System)
				assert.Equal(t, op, call.Operation)
				assert.NotContains(t, err.Error(), canary, op)
				assert.NotContains(t, err.Error(), someone.Email, op)
			}
			assert.NotContains(t, log.String(), canary)
			assert.NotContains(t, log.String(), someone.Email)
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for mode, kinds := range map[string][]error{
		"status":   {commerce.ErrUnavailable},
		"hang":     {commerce.ErrTimeout},
		"reset":    {commerce.ErrUnavailable, commerce.ErrUpstream},
		"truncate": {commerce.ErrUpstream, commerce.ErrUnavailable},
		"garbage":  {commerce.ErrUpstream},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			s.Faults(t, sandbox.Fault{System: "odoo", Operation: "*", ErrorRate: 1, Mode: mode})
			cfg := odoo.Config{Config: transport.Config{
				BaseURL: s.URL + "/odoo", AllowPrivate: true,
				AttemptTimeout: 20 * time.Second, Timeout: 20 * time.Second, // however busy the machine is
			}, APIKey: "sandbox-odoo-key"}
			if mode == sandbox.ModeHang {
				cfg.AttemptTimeout, cfg.Timeout = time.Second, 2*time.Second // it has to be waited for, and to do for the good call
			}
			ports, err := odoo.New(cfg, transport.Deps{Log: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			for op, call := range every {
				assert.Contains(t, kinds, commerce.KindOf(call(t.Context(), ports)), op)
			}
			s.ClearFaults(t)
			_, err = ports.Inventory.Availability(t.Context(), usMarket, []commerce.SKU{"HL-U509-R"})
			require.NoError(t, err, "a failure is not kept")
		})
	}
}

func TestPartOfABatchMayFail(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	ports, err := odoo.New(odoo.Config{
		Config: transport.Config{BaseURL: s.URL + "/odoo", AllowPrivate: true, MaxAttempts: 1}, APIKey: "sandbox-odoo-key",
	}, transport.Deps{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	known := commerce.PriceKey{SKU: "HL-U509-R", Quantity: 1}
	_, err = ports.Pricing.Prices(t.Context(), usMarket, "retail", []commerce.PriceKey{known})
	require.NoError(t, err)
	_, err = ports.Inventory.Availability(t.Context(), usMarket, []commerce.SKU{known.SKU})
	require.NoError(t, err)
	s.Faults(t, sandbox.Fault{System: "odoo", Operation: "product.product.search_read", ErrorRate: 1})

	unknown := commerce.PriceKey{SKU: "BK-M82S-38", Quantity: 1}
	prices, err := ports.Pricing.Prices(t.Context(), usMarket, "retail", []commerce.PriceKey{known, unknown})
	assert.Empty(t, prices)
	require.ErrorIs(t, commerce.KeyError(err, known), commerce.ErrUnavailable)
	require.ErrorIs(t, commerce.KeyError(err, unknown), commerce.ErrUnavailable)

	stock, err := ports.Inventory.Availability(t.Context(), usMarket, []commerce.SKU{known.SKU, unknown.SKU})
	require.NoError(t, commerce.KeyError(err, known.SKU), "its record is known, and stock answers")
	require.ErrorIs(t, commerce.KeyError(err, unknown.SKU), commerce.ErrUnavailable)
	assert.Contains(t, stock, known.SKU)
}

func TestBadInputCostsNoCall(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer server.Close()
	ports, err := odoo.New(odoo.Config{Config: transport.Config{BaseURL: server.URL, AllowPrivate: true}, APIKey: "k"}, transport.Deps{})
	require.NoError(t, err)
	for _, page := range []commerce.Cursor{{First: 0}, {First: 101}, {First: 5, After: "x"}} {
		_, err = ports.OrderHistory.Orders(t.Context(), someone, page)
		require.ErrorIs(t, err, commerce.ErrInvalid)
		_, err = ports.Invoices.Invoices(t.Context(), someone, page)
		require.ErrorIs(t, err, commerce.ErrInvalid)
	}
	unverified := someone
	unverified.EmailVerified = false
	for _, p := range []commerce.Principal{{}, unverified, {Tenant: "default", Subject: "AW1", EmailVerified: true}} {
		_, err = ports.OrderHistory.Order(t.Context(), p, "1")
		require.ErrorIs(t, err, commerce.ErrNotFound)
		page, err := ports.OrderHistory.Orders(t.Context(), p, commerce.Cursor{First: 5})
		require.NoError(t, err)
		require.Empty(t, page.Orders)
	}
	prices, err := ports.Pricing.Prices(t.Context(), usMarket, "retail", nil)
	require.NoError(t, err)
	require.Empty(t, prices)
	_, err = ports.Pricing.Prices(t.Context(), usMarket, "no-such-group", []commerce.PriceKey{{SKU: "A", Quantity: 1}})
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	assert.Zero(t, calls.Load())
}

func TestAClaimMayHoldThePartnersID(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	ports, err := odoo.New(odoo.Config{
		Config: transport.Config{BaseURL: s.URL + "/odoo", AllowPrivate: true}, APIKey: "sandbox-odoo-key", IDClaim: "erp_id",
	}, transport.Deps{})
	require.NoError(t, err)
	byID := commerce.Principal{Tenant: "default", Subject: "whoever", Claims: map[string]string{"erp_id": "61000"}}
	f := s.Fixture()
	_, err = ports.OrderHistory.Order(t.Context(), byID, f.Order)
	require.NoError(t, err)
	for _, claim := range []string{"", "0", "-1", "1 OR 1=1", "61020"} {
		byID.Claims = map[string]string{"erp_id": claim}
		_, err = ports.OrderHistory.Order(t.Context(), byID, f.Order)
		require.ErrorIs(t, err, commerce.ErrNotFound, claim)
	}
	// The claim spares looking for the partner; the one call is for where the order went.
	assert.Equal(t, 1, s.Calls(t)["odoo"]["res.partner.search_read"])
}

func TestBadSettingsAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := odoo.New(odoo.Config{
		Config:     transport.Config{BaseURL: "ftp://example.test"},
		PriceLists: map[string]string{"retail:USD": "first", "retail": "2", "retail:XXZ": "3", ":USD": "4", "retail:EUR": "5"},
	}, transport.Deps{})
	require.Error(t, err)
	for _, part := range []string{"BASE_URL", "API_KEY", "retail:USD=first", `"retail=2"`, "retail:XXZ=3", `":USD=4"`} {
		assert.ErrorContains(t, err, part)
	}
	assert.NotContains(t, err.Error(), "retail:EUR")
}

func TestAListInAnotherCurrencyIsRefused(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	for name, id := range map[string]string{"of another currency": "2", "that does not exist": "99"} {
		ports, err := odoo.New(odoo.Config{
			Config: transport.Config{BaseURL: s.URL + "/odoo", AllowPrivate: true}, APIKey: "sandbox-odoo-key",
			PriceLists: map[string]string{"retail:USD": id},
		}, transport.Deps{})
		require.NoError(t, err)
		_, err = ports.Pricing.Prices(t.Context(), usMarket, "retail", []commerce.PriceKey{{SKU: "HL-U509-R", Quantity: 1}})
		require.ErrorIs(t, err, commerce.ErrUnavailable, name)
	}
}

func TestRequestsAreWhatTheContractSays(t *testing.T) {
	t.Parallel()
	var seen atomic.Pointer[http.Request]
	var sent atomic.Pointer[string]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		text := string(body)
		seen.Store(r)
		sent.Store(&text)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "[]")
	}))
	defer server.Close()
	ports, err := odoo.New(odoo.Config{
		Config: transport.Config{BaseURL: server.URL + "/erp", AllowPrivate: true}, APIKey: "k", Database: "live",
	}, transport.Deps{})
	require.NoError(t, err)
	_, err = ports.OrderHistory.GuestOrder(t.Context(), "000000042")
	require.ErrorIs(t, err, commerce.ErrNotFound)
	r := seen.Load()
	assert.Equal(t, http.MethodPost, r.Method)
	assert.Equal(t, "/erp/json/2/sale.order/search_read", r.URL.Path)
	assert.Equal(t, "bearer k", r.Header.Get("Authorization"))
	assert.Equal(t, "live", r.Header.Get("X-Odoo-Database"))
	assert.True(t, strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"))
	assert.JSONEq(t, `{"domain":[["client_order_ref","=","000000042"]],"order":"id","limit":100,
		"fields":["name","client_order_ref","state","date_order","amount_tax","amount_total","currency_id","picking_ids","partner_shipping_id"]}`, *sent.Load())
}

func TestAWaiterWhoseTimeIsUpIsToldWhichSystemWasSlow(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	s.Faults(t, sandbox.Fault{System: "odoo", Operation: "*", ErrorRate: 1, Mode: "hang"})
	ports, err := odoo.New(odoo.Config{
		Config: transport.Config{BaseURL: s.URL + "/odoo", AllowPrivate: true, AttemptTimeout: time.Second, Timeout: time.Second}, APIKey: "sandbox-odoo-key",
	}, transport.Deps{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	for op, call := range every {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		err := call(ctx, ports)
		cancel()
		failed, ok := errors.AsType[*commerce.CallError](err)
		require.True(t, ok, "%s: %v", op, err)
		assert.Equal(t, op, failed.Operation)
		assert.Equal(t, odoo.System, failed.System)
		require.ErrorIs(t, err, commerce.ErrTimeout, op)
		assert.Equal(t, commerce.ReasonTimeout, commerce.ReasonOf(err), op)
	}
}
