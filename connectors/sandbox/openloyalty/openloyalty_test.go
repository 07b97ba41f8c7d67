package openloyalty_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/openloyalty"
	"github.com/portico-bff/portico/connectors/sandbox/world"
)

var load = sync.OnceValue(func() *world.World {
	w, err := world.Load()
	if err != nil {
		panic(err)
	}
	return w
})

func send(t *testing.T, method, target, body string, headers ...string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	openloyalty.New(load(), openloyalty.Options{}).ServeHTTP(w, r)
	text, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	return w.Code, string(text)
}

// get asks as the machine that holds the key.
func get(t *testing.T, target string) (int, string) {
	t.Helper()
	return send(t, http.MethodGet, target, "", "X-AUTH-TOKEN", openloyalty.DefaultAPIKey)
}

type customers struct {
	Customers []struct {
		CustomerID string `json:"customerId"`
		Email      string `json:"email"`
	} `json:"customers"`
	Total int `json:"total"`
}

func list(t *testing.T, query url.Values) customers {
	t.Helper()
	status, body := get(t, "/api/customer?"+query.Encode())
	require.Equal(t, http.StatusOK, status, body)
	var c customers
	require.NoError(t, json.Unmarshal([]byte(body), &c))
	return c
}

func TestFiltersMatchPartsUnlessStrict(t *testing.T) {
	t.Parallel()
	who := load().Customer("AW00011000")
	part := list(t, url.Values{"email": {"example.test"}})
	assert.Equal(t, len(load().Customers()), part.Total)
	assert.Len(t, part.Customers, 10, "a page has ten rows when nobody says more")
	assert.Zero(t, list(t, url.Values{"email": {"example.test"}, "strict": {"1"}}).Total)
	exact := list(t, url.Values{"email": {who.Email}, "strict": {"1"}})
	require.Equal(t, 1, exact.Total)
	assert.Equal(t, who.LoyaltyID, exact.Customers[0].CustomerID)
	second := list(t, url.Values{"email": {"example.test"}, "page": {"2"}, "perPage": {"3"}, "sort": {"email"}, "direction": {"asc"}})
	assert.Len(t, second.Customers, 3)
	assert.Empty(t, list(t, url.Values{"page": {"100000"}}).Customers)
	firsts := list(t, url.Values{"firstName": {who.FirstName}, "lastName": {who.LastName}, "strict": {"1"}})
	assert.GreaterOrEqual(t, firsts.Total, 1)
}

func TestQuirksOfACustomer(t *testing.T) {
	t.Parallel()
	var bare, full bool
	for _, c := range load().Customers() {
		if len(c.Addresses) > 0 == full && c.Phone != "" {
			if bare && full {
				break
			}
		}
		_, body := get(t, "/api/customer/"+c.LoyaltyID)
		var fields map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(body), &fields))
		assert.Regexp(t, `^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0100"$`, string(fields["createdAt"]))
		assert.Equal(t, `"usd"`, string(fields["currency"]))
		assert.Regexp(t, `^"\d+\.00%"$`, string(fields["levelPercent"]))
		assert.Contains(t, fields, "segments")
		if _, ok := fields["loyaltyCardNumber"]; ok {
			full = true
		} else {
			bare = true
		}
		if len(c.Addresses) == 0 {
			assert.Equal(t, `{}`, string(fields["address"]))
		}
		if bare && full {
			break
		}
	}
	assert.True(t, bare, "who has no card has no field for it")
	assert.True(t, full)
}

func TestStatus(t *testing.T) {
	t.Parallel()
	seen := map[bool]bool{}
	for _, c := range load().Customers() {
		top := c.Level == len(world.Levels)-1
		if seen[top] {
			continue
		}
		seen[top] = true
		status, body := get(t, "/api/admin/customer/"+c.LoyaltyID+"/status")
		require.Equal(t, http.StatusOK, status)
		assert.Equal(t, top, !strings.Contains(body, "nextLevel"))
		assert.Equal(t, top, !strings.Contains(body, "pointsToNextLevel"))
		assert.Regexp(t, `"averageTransactionsAmount":"\d+\.\d\d"`, body)
	}
	assert.Len(t, seen, 2)
}

func TestProgramme(t *testing.T) {
	t.Parallel()
	_, levels := get(t, "/api/level")
	assert.Contains(t, levels, `"total":4`)
	assert.Contains(t, levels, `"reward":{"name":"15%","value":0.15,"code":"platinum"}`)
	_, one := get(t, "/api/level/000096cf-32a3-43bd-9034-000000000001")
	assert.Contains(t, one, `"name":"Bronze"`)
	_, segments := get(t, "/api/segment?perPage=1")
	assert.Contains(t, segments, `"total":4`)
	assert.Equal(t, 1, strings.Count(segments, `"segmentId"`))
	_, segment := get(t, "/api/segment/00000000-0000-0000-0000-000000000102")
	assert.Contains(t, segment, `"name":"Shops"`)
	who := load().Customer("AW00011000")
	_, rewards := get(t, "/api/admin/customer/"+who.LoyaltyID+"/campaign/available")
	assert.Contains(t, rewards, `"costInPoints":50`)
}

func TestErrorBodies(t *testing.T) {
	t.Parallel()
	key := []string{"X-AUTH-TOKEN", openloyalty.DefaultAPIKey}
	const unknown = "00000000-0000-0000-0000-000000000000"
	const notFound = `{"error":{"code":404,"message":"Not Found"}}`
	for name, c := range map[string]struct {
		method, target, body string
		headers              []string
		status               int
		want                 string
	}{
		"no credentials":     {"GET", "/api/customer", "", nil, 401, `{"code":401,"message":"JWT Token not found"}`},
		"wrong key":          {"GET", "/api/customer", "", []string{"X-AUTH-TOKEN", "no"}, 401, `{"code":401,"message":"Bad credentials"}`},
		"wrong token":        {"GET", "/api/customer", "", []string{"Authorization", "Bearer no"}, 401, `{"code":401,"message":"Invalid JWT Token"}`},
		"a customer's route": {"GET", "/api/customer/" + unknown + "/status", "", key, 403, `{"error":{"code":403,"message":"Access Denied."}}`},
		"unknown customer":   {"GET", "/api/customer/" + unknown, "", key, 404, notFound},
		"unknown status":     {"GET", "/api/admin/customer/" + unknown + "/status", "", key, 404, notFound},
		"unknown rewards":    {"GET", "/api/admin/customer/" + unknown + "/campaign/available", "", key, 404, notFound},
		"unknown level":      {"GET", "/api/level/x", "", key, 404, notFound},
		"unknown segment":    {"GET", "/api/segment/x", "", key, 404, notFound},
		"unknown route":      {"GET", "/api/nothing", "", key, 404, notFound},
		"bad page": {
			"GET", "/api/customer?page=0", "", key, 400,
			`{"error":{"code":400,"message":"Query parameter page value violated a constraint (This value should be positive.)"}}`,
		},
		"another method": {
			"DELETE", "/api/customer", "", key, 405,
			`{"error":{"code":405,"message":"No route found for \"DELETE /api/customer\": Method Not Allowed (Allow: GET)"}}`,
		},
		"wrong password": {"POST", "/api/admin/login_check", `{"_username":"admin","_password":"x"}`, nil, 401, `{"code":401,"message":"Bad credentials"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := send(t, c.method, c.target, c.body, c.headers...)
			assert.Equal(t, c.status, status)
			assert.JSONEq(t, c.want, body)
		})
	}
}

func TestWaysIn(t *testing.T) {
	t.Parallel()
	form := url.Values{"_username": {openloyalty.DefaultUsername}, "_password": {openloyalty.DefaultPassword}}
	for contentType, sent := range map[string]string{
		"application/x-www-form-urlencoded": form.Encode(),
		"application/json":                  `{"_username":"` + openloyalty.DefaultUsername + `","_password":"` + openloyalty.DefaultPassword + `"}`,
	} {
		status, body := send(t, http.MethodPost, "/api/admin/login_check", sent, "Content-Type", contentType)
		require.Equal(t, http.StatusOK, status)
		var pair struct{ Token string }
		require.NoError(t, json.Unmarshal([]byte(body), &pair))
		status, _ = send(t, http.MethodGet, "/api/level", "", "Authorization", "Bearer "+pair.Token)
		assert.Equal(t, http.StatusOK, status)
	}
	status, _ := send(t, http.MethodGet, "/api/level?auth_token="+openloyalty.DefaultAPIKey, "")
	assert.Equal(t, http.StatusOK, status)
}

func TestOperations(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/api/customer?email=a":                     "GET /api/customer",
		"/openloyalty/api/customer/42":              "GET /api/customer/{id}",
		"/api/admin/customer/42/campaign/available": "GET /api/admin/customer/{id}/campaign/available",
		"/api/customer/level":                       "GET /api/customer/level",
		"/api/nothing":                              "unknown",
	} {
		assert.Equal(t, want, openloyalty.Operation(httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil), nil), target)
	}
}
