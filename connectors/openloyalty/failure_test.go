package openloyalty_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	id       = "00000000-0000-474c-b092-b0dd880c07e1"
	list     = `{"customers":[{"customerId":"` + id + `","active":true,"email":"ann@example.test"}],"total":1}`
	profile  = `{"customerId":"` + id + `","active":true,"firstName":"Ann","lastName":"Lee","email":"ann@example.test","address":{}}`
	standing = `{"customerId":"` + id + `","points":206,"totalEarnedPoints":230}`
)

var ann = commerce.Principal{Tenant: "default", Subject: "a1", Email: "ann@example.test", EmailVerified: true}

// reply is what an upstream answers on a path.
type reply struct {
	status      int
	contentType string
	body        string
}

func ok(body string) reply { return reply{http.StatusOK, "application/json", body} }

// script is an upstream that answers by path; what is not in it is 404 as the CRM says it.
func script(t *testing.T, replies map[string]reply) commerce.Ports {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		say, found := replies[r.URL.Path]
		if !found {
			say = reply{http.StatusNotFound, "application/json", `{"error":{"code":404,"message":"Not Found"}}`}
		}
		w.Header().Set("Content-Type", say.contentType)
		w.WriteHeader(say.status)
		_, _ = w.Write([]byte(say.body))
	}))
	t.Cleanup(web.Close)
	return connect(t, web.URL, "")
}

const canary = "canary-9d1e"

// bad answers are of no use to any call.
func bad(whole string) map[string]struct {
	say  reply
	kind error
} {
	type outcome = struct {
		say  reply
		kind error
	}
	return map[string]outcome{
		"html":             {reply{200, "text/html", "<html>" + canary + "</html>"}, commerce.ErrUpstream},
		"garbage":          {ok(canary), commerce.ErrUpstream},
		"cut off":          {ok(whole[:len(whole)/2]), commerce.ErrUpstream},
		"nothing":          {ok("{}"), commerce.ErrUpstream},
		"null":             {ok("null"), commerce.ErrUpstream},
		"a list":           {ok("[]"), commerce.ErrUpstream},
		"refused key":      {reply{401, "application/json", `{"code":401,"message":"` + canary + `"}`}, commerce.ErrUnavailable},
		"forbidden":        {reply{403, "application/json", `{}`}, commerce.ErrUnavailable},
		"bad request":      {reply{400, "application/json", `{"errors":["` + canary + `"]}`}, commerce.ErrUpstream},
		"a proxy's 404":    {reply{404, "text/html", canary}, commerce.ErrUpstream},
		"another API's":    {reply{404, "application/json", `{"detail":"` + canary + `"}`}, commerce.ErrUpstream},
		"busy":             {reply{429, "text/html", canary}, commerce.ErrRateLimited},
		"down":             {reply{503, "text/html", canary}, commerce.ErrUnavailable},
		"a redirect":       {reply{302, "text/html", ""}, commerce.ErrUpstream},
		"another customer": {ok(`{"customerId":"00000000-0000-474c-b092-b0dd880c07e2","email":"ann@example.test","points":1}`), commerce.ErrUpstream},
	}
}

func TestN16_BadAnswersAreTyped(t *testing.T) {
	t.Parallel()
	for path, c := range map[string]struct {
		whole string
		op    commerce.Operation
		call  func(t *testing.T, p commerce.Ports) error
	}{
		"/api/customer":                                     {list, commerce.OpCustomer, customer},
		"/api/customer/" + id:                               {profile, commerce.OpCustomer, customer},
		"/api/admin/customer/" + id + "/status":             {standing, commerce.OpLoyalty, loyalty},
		"/api/admin/customer/" + id + "/campaign/available": {`{"campaigns":[{"campaignId":"c"}],"total":1}`, commerce.OpLoyalty, loyalty},
	} {
		for name, b := range bad(c.whole) {
			t.Run(path+" "+name, func(t *testing.T) {
				t.Parallel()
				replies := map[string]reply{
					"/api/customer": ok(list), "/api/customer/" + id: ok(profile), "/api/admin/customer/" + id + "/status": ok(standing),
					"/api/admin/customer/" + id + "/campaign/available": ok(`{"campaigns":[],"total":0}`),
				}
				require.NoError(t, c.call(t, script(t, replies)), "the others are fine")
				replies[path] = b.say
				err := c.call(t, script(t, replies))
				require.ErrorIs(t, err, b.kind)
				var failed *commerce.CallError
				require.ErrorAs(t, err, &failed)
				assert.Equal(t, "openloyalty", failed.System)
				assert.Equal(t, c.op, failed.Operation)
				for _, secret := range []string{canary, "sandbox-loyalty-key", ann.Email, id} {
					assert.NotContains(t, err.Error(), secret)
				}
			})
		}
	}
}

func customer(t *testing.T, p commerce.Ports) error {
	_, err := p.Customers.Customer(t.Context(), ann)
	return err
}

func loyalty(t *testing.T, p commerce.Ports) error {
	_, err := p.Loyalty.Loyalty(t.Context(), ann)
	return err
}

func TestLookupsThatAreNoCustomer(t *testing.T) {
	t.Parallel()
	one := func(id, email, more string) string {
		return `{"customerId":"` + id + `","email":"` + email + `"` + more + `}`
	}
	for name, c := range map[string]struct {
		customers string
		kind      error
	}{
		"nobody":           {"", commerce.ErrNotFound},
		"a partial match":  {one(id, "joann@example.test", ""), commerce.ErrNotFound},
		"other letters":    {one(id, "Ann@example.test", ""), commerce.ErrNotFound},
		"not active":       {one(id, ann.Email, `,"active":false`), commerce.ErrNotFound},
		"two with one":     {one(id, ann.Email, "") + "," + one("00000000-0000-474c-b092-b0dd880c07e2", ann.Email, ""), commerce.ErrUpstream},
		"an id of a path":  {one("../admin", ann.Email, ""), commerce.ErrUpstream},
		"an id of numbers": {`{"customerId":7,"email":"ann@example.test"}`, commerce.ErrUpstream},
	} {
		ports := script(t, map[string]reply{"/api/customer": ok(`{"customers":[` + c.customers + `],"total":1}`), "/api/customer/" + id: ok(profile)})
		require.ErrorIs(t, customer(t, ports), c.kind, name)
	}
	right := `{"customers":[` + one("00000000-0000-474c-b092-b0dd880c07e2", "joann@example.test", "") + "," + one(id, ann.Email, "") + `],"total":2}`
	require.NoError(t, customer(t, script(t, map[string]reply{"/api/customer": ok(right), "/api/customer/" + id: ok(profile)})), "a neighbor in the list is passed over")
}

func TestPointsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, points := range []string{`"many"`, "1e9", "true", "99999999999", "null"} {
		ports := script(t, map[string]reply{
			"/api/customer": ok(list), "/api/admin/customer/" + id + "/status": ok(`{"customerId":"` + id + `","points":` + points + `}`),
			"/api/admin/customer/" + id + "/campaign/available": ok(`{"campaigns":[],"total":0}`),
		})
		require.ErrorIs(t, loyalty(t, ports), commerce.ErrUpstream, points)
	}
}
