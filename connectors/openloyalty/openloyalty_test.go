package openloyalty_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/openloyalty"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

func TestProfilesAreTheWorlds(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	ports := connect(t, box.URL+"/openloyalty", "")
	who := box.Server.World.Customer("AW00011000")
	got, err := ports.Customers.Customer(t.Context(), sandboxtest.Principal(who))
	require.NoError(t, err)
	assert.Equal(t, who.LastName, got.LastName)
	require.Len(t, got.Addresses, 1)
	assert.Equal(t, who.Addresses[0].City, got.Addresses[0].City)
	assert.Equal(t, []string{who.Addresses[0].Street}, got.Addresses[0].Street)
	assert.Contains(t, got.Segments, "Cyclists")
	assert.NotContains(t, got.Segments, "Launch campaign", "segments that were switched off do not count")

	account, err := ports.Loyalty.Loyalty(t.Context(), sandboxtest.Principal(who))
	require.NoError(t, err)
	assert.Equal(t, who.Points, account.Points)
	assert.Equal(t, who.Earned, account.Earned)
	assert.NotEmpty(t, account.Rewards)
}

func TestTheTopLevelHasNoNext(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	ports := connect(t, box.URL+"/openloyalty", "")
	seen := map[bool]bool{}
	for _, who := range box.Server.World.Customers() {
		top := who.Level == 3
		if seen[top] {
			continue
		}
		seen[top] = true
		account, err := ports.Loyalty.Loyalty(t.Context(), sandboxtest.Principal(who))
		require.NoError(t, err)
		assert.NotEmpty(t, account.Level)
		assert.Equal(t, top, account.NextLevel == "")
		assert.Equal(t, top, account.PointsToNextLevel == 0)
	}
	assert.Len(t, seen, 2)
}

func TestCallsPerOperation(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	ports, who := connect(t, box.URL+"/openloyalty", ""), box.Fixture().Customer
	for range 2 {
		_, err := ports.Customers.Customer(t.Context(), who)
		require.NoError(t, err)
		_, err = ports.Loyalty.Loyalty(t.Context(), who)
		require.NoError(t, err)
	}
	assert.Equal(t, map[string]int{
		"GET /api/customer":                               1,
		"GET /api/customer/{id}":                          2,
		"GET /api/admin/customer/{id}/status":             2,
		"GET /api/admin/customer/{id}/campaign/available": 2,
	}, box.Calls(t)["openloyalty"])
}

func TestIdentityByClaim(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	ports := connect(t, box.URL+"/openloyalty", "crm_id")
	who := box.Server.World.Customer("AW00011000")
	p := commerce.Principal{Tenant: "default", Subject: "whoever", Claims: map[string]string{"crm_id": strings.ToUpper(who.LoyaltyID)}}
	got, err := ports.Customers.Customer(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, who.Email, got.Email)
	box.ResetCalls(t)
	for _, id := range []string{"", "1", "../level", who.LoyaltyID + "/status", "00000000-0000-0000-0000-00000000000g"} {
		p.Claims = map[string]string{"crm_id": id}
		_, err = ports.Customers.Customer(t.Context(), p)
		require.ErrorIs(t, err, commerce.ErrNotFound, id)
	}
	assert.Empty(t, box.Calls(t)["openloyalty"], "what is no id is not asked for")
	p.Claims = map[string]string{"crm_id": "00000000-0000-0000-0000-000000000001"}
	_, err = ports.Loyalty.Loyalty(t.Context(), p)
	require.ErrorIs(t, err, commerce.ErrNotFound)
}

func TestNobodyIsTakenForAnother(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	ports, who := connect(t, box.URL+"/openloyalty", ""), box.Fixture().Customer
	for name, email := range map[string]string{
		"a part of it": who.Email[1:], "the domain": "@example.test", "a wildcard": "*@example.test", "other letters": strings.ToUpper(who.Email),
		"two": who.Email + "," + who.Email, "nothing": "", "a parameter": who.Email + "&strict=0",
	} {
		p := who
		p.Email, p.Subject = email, "other-"+name
		_, err := ports.Customers.Customer(t.Context(), p)
		require.ErrorIs(t, err, commerce.ErrNotFound, name)
	}
	unverified := who
	unverified.EmailVerified = false
	_, err := ports.Customers.Customer(t.Context(), unverified)
	require.ErrorIs(t, err, commerce.ErrNotFound)
}

func TestHalfAnAccountIsNone(t *testing.T) {
	t.Parallel()
	for _, broken := range []string{"/status", "/campaign/available"} {
		port := script(t, map[string]reply{
			"/api/customer": ok(list), "/api/admin/customer/" + id + "/status": ok(standing),
			"/api/admin/customer/" + id + "/campaign/available": ok(`{"campaigns":[],"total":0}`),
			"/api/admin/customer/" + id + broken:                {503, "text/html", "down"},
		})
		_, err := port.Loyalty.Loyalty(t.Context(), ann)
		require.ErrorIs(t, err, commerce.ErrUnavailable, broken)
	}
}

func TestWhateverFieldsAreThere(t *testing.T) {
	t.Parallel()
	port := script(t, map[string]reply{
		"/api/customer":                         ok(list),
		"/api/customer/" + id:                   ok(`{"customerId":"` + id + `","email":"ann@example.test","address":[],"company":[],"createdAt":"2023-01-02T03:04:05+0100"}`),
		"/api/admin/customer/" + id + "/status": ok(`{"customerId":"` + id + `","points":206.9,"nextLevelName":"Gold","pointsToNextLevel":94,"averageTransactionsAmount":"3.00"}`),
		"/api/admin/customer/" + id + "/campaign/available": ok(
			`{"campaigns":[{"campaignId":"c1","name":"Mug","costInPoints":10.0},{"campaignId":"c2","name":"Old","active":false,"costInPoints":5}],"total":2}`),
	})
	profile, err := port.Customers.Customer(t.Context(), ann)
	require.NoError(t, err)
	assert.Equal(t, &commerce.Customer{Email: "ann@example.test"}, profile)
	account, err := port.Loyalty.Loyalty(t.Context(), ann)
	require.NoError(t, err)
	assert.Equal(t, &commerce.LoyaltyAccount{
		Points: 206, Earned: 206, NextLevel: "Gold", PointsToNextLevel: 94, Rewards: []commerce.Reward{{ID: "c1", Name: "Mug", Cost: 10}},
	}, account)
}

func TestAnAddressThatMovedOnIsLookedUpAgain(t *testing.T) {
	t.Parallel()
	var lookups atomic.Int32
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body := `{"customerId":"` + id + `","email":"somebody.else@example.test"}`
		if r.URL.Path == "/api/customer" {
			lookups.Add(1)
			body = list
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(web.Close)
	ports := connect(t, web.URL, "")
	for range 2 {
		_, err := ports.Customers.Customer(t.Context(), ann)
		require.ErrorIs(t, err, commerce.ErrNotFound)
	}
	assert.EqualValues(t, 2, lookups.Load())
}

func TestBadSettingsAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := openloyalty.New(openloyalty.Config{Config: transport.Config{BaseURL: "ftp://example.test"}}, transport.Deps{})
	require.ErrorContains(t, err, "BASE_URL")
	require.ErrorContains(t, err, "API_KEY")
}

func TestTraits(t *testing.T) {
	t.Parallel()
	for _, op := range []commerce.Operation{commerce.OpCustomer, commerce.OpLoyalty} {
		traits := connect(t, "http://127.0.0.1:1", "").Traits[op]
		assert.Equal(t, commerce.Read, traits.Access)
		assert.Equal(t, commerce.ScopeCustomer, traits.Scope, "nobody else sees it")
		assert.Equal(t, op, traits.Operation)
	}
}
