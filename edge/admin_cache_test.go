package edge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/schema/commerce"
)

const adminToken = "an-admin-token-of-a-test"

// admin asks the admin address.
func admin(t *testing.T, b *Backend, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	for _, value := range headers {
		r.Header.Add("Authorization", value)
	}
	rec := httptest.NewRecorder()
	b.Admin().ServeHTTP(rec, r)
	return rec
}

// invalidated has all processes drop what body names. One that is told that others do not know
// yet asks again, as operators do: on a busy machine Redis may be late.
func invalidated(t *testing.T, b *Backend, body string) {
	t.Helper()
	var rec *httptest.ResponseRecorder
	require.Eventually(t, func() bool {
		rec = admin(t, b, http.MethodPost, "/invalidate", body, "Bearer "+adminToken)
		return rec.Code != http.StatusServiceUnavailable
	}, 30*time.Second, time.Millisecond)
	require.Equal(t, http.StatusOK, rec.Code, rec.Body)
}

func decoded[T any](t *testing.T, rec *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &v), rec.Body.String())
	return v
}

func TestInvalidateIsForWhoHasTheToken(t *testing.T) {
	t.Parallel()
	const body = `{"tags":["product:A"]}`
	b, log := open(t, "PORTICO_MODE=development", "ADMIN_TOKEN="+adminToken)
	for name, headers := range map[string][]string{
		"no header":          nil,
		"empty":              {""},
		"no token":           {"Bearer"},
		"empty token":        {"Bearer "},
		"another token":      {"Bearer another-token-of-a-test"},
		"a beginning":        {"Bearer " + adminToken[:16]},
		"more than it":       {"Bearer " + adminToken + "x"},
		"another case":       {"Bearer " + strings.ToUpper(adminToken)},
		"basic":              {"Basic " + adminToken},
		"no scheme":          {adminToken},
		"two spaces":         {"Bearer  " + adminToken},
		"two headers":        {"Bearer " + adminToken, "Bearer " + adminToken},
		"what hides it":      {"Bearer [hidden]"},
		"a wrong and a good": {"Bearer x", "Bearer " + adminToken},
	} {
		rec := admin(t, b, http.MethodPost, "/invalidate", body, headers...)
		assert.Equal(t, http.StatusUnauthorized, rec.Code, name)
		assert.Equal(t, "Bearer", rec.Header().Get("WWW-Authenticate"), name)
		assert.Equal(t, "application/problem+json", rec.Header().Get("Content-Type"), name)
	}
	assert.Equal(t, http.StatusUnauthorized, admin(t, b, http.MethodPost, "/invalidate?token="+adminToken, body).Code, "a token in a URL is in logs")
	for _, scheme := range []string{"Bearer ", "bearer "} {
		assert.Equal(t, http.StatusOK, admin(t, b, http.MethodPost, "/invalidate", body, scheme+adminToken).Code)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		rec := admin(t, b, method, "/invalidate", "", "Bearer "+adminToken)
		assert.Equal(t, http.StatusMethodNotAllowed, rec.Code, method)
		assert.Equal(t, "POST", rec.Header().Get("Allow"))
	}
	assert.NotContains(t, log.String(), adminToken)
	assert.Contains(t, log.String(), `"msg":"invalidation refused"`)
	assert.Contains(t, log.String(), `"msg":"invalidated by hand","channel":"web","tags":1,"told":true`)

	none, _ := open(t, "PORTICO_MODE=development")
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		assert.Equal(t, http.StatusNotFound, admin(t, none, method, "/invalidate", body, "Bearer ").Code)
	}
	_, err := Load([]string{"PORTICO_MODE=development", "ADMIN_TOKEN=fifteen-letters"})
	require.ErrorContains(t, err, "ADMIN_TOKEN must have at least 16 characters")
}

func TestInvalidateIsStrict(t *testing.T) {
	t.Parallel()
	b, _ := open(t, "PORTICO_MODE=development", "ADMIN_TOKEN="+adminToken)
	post := func(body string) *httptest.ResponseRecorder {
		return admin(t, b, http.MethodPost, "/invalidate", body, "Bearer "+adminToken)
	}
	for body, n := range map[string]int{
		`{"tags":["product:A","price:A"]}`: 2,
		`{"tags":["product:A","product:A"],"keys":[{"operation":"catalog.products","key":"A"}]}`:     1,
		`{"keys":[{"operation":"pricing.prices","key":"A"},{"operation":"search.search","key":""}]}`: 2,
		`{"keys":[{"operation":"categories.tree"}]}`:                                                 1,
		`{"tags":["product:` + strings.Repeat(`A"],"keys":[]}`, 1):                                   1,
		thousand(1000): 1000,
	} {
		rec := post(body)
		assert.Equal(t, http.StatusOK, rec.Code, body)
		assert.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
		assert.JSONEq(t, fmt.Sprintf(`{"invalidated":%d}`, n), rec.Body.String(), body)
	}
	for body, field := range map[string]string{
		``: "", `null`: "", `[]`: "", `"x"`: "", `{`: "", `{} {}`: "", `{"tags":["a"]}x`: "", "{\"tags\":[\"\xff\"]}": "",
		`{}`: "tags", `{"tags":[]}`: "tags", `{"tags":[],"keys":[]}`: "tags",
		`{"Tags":["a"]}`: "", `{"tags":["a"],"more":1}`: "", `{"tags":["a"],"tags":["b"]}`: "",
		`{"tags":"a"}`: "tags", `{"tags":null}`: "tags", `{"tags":{"0":"a"}}`: "tags",
		`{"tags":["a",1]}`: "tags[1]", `{"tags":[""]}`: "tags[0]", `{"tags":["a b"]}`: "tags[0]", `{"tags":["ü"]}`: "tags[0]", `{"tags":[["a"]]}`: "tags[0]",
		`{"tags":["` + strings.Repeat("a", 129) + `"]}`: "tags[0]",
		thousand(1001):   "tags",
		`{"keys":["A"]}`: "keys[0]", `{"keys":[{"operation":"catalog.products","key":"A","more":1}]}`: "keys[0]",
		`{"keys":[{"key":"A"}]}`: "keys[0].operation", `{"keys":[{"operation":"nope","key":"A"}]}`: "keys[0].operation",
		`{"keys":[{"operation":"customers.customer","key":"A"}]}`: "keys[0].operation",
		`{"keys":[{"operation":"catalog.products"}]}`:             "keys[0].key", `{"keys":[{"operation":"catalog.products","key":1}]}`: "keys[0].key",
		`{"keys":[{"operation":"search.search","key":"helmet"}]}`: "keys[0].key",
	} {
		rec := post(body)
		assert.Equal(t, http.StatusBadRequest, rec.Code, body)
		p := decoded[adminProblem](t, rec)
		assert.Equal(t, field, p.Field, body)
		assert.NotEmpty(t, p.Detail, body)
	}
	rec := post(`{"tags":["` + strings.Repeat("a", maxInvalidateBody) + `"]}`)
	assert.Equal(t, http.StatusRequestEntityTooLarge, rec.Code)
}

func thousand(n int) string {
	tags := make([]string, n)
	for i := range tags {
		tags[i] = fmt.Sprintf(`"product:%d"`, i)
	}
	return `{"tags":[` + strings.Join(tags, ",") + `]}`
}

func TestInvalidateSaysWhenOthersDoNotKnow(t *testing.T) {
	t.Parallel()
	b, log := open(t, "PORTICO_MODE=development", "ADMIN_TOKEN="+adminToken, "REDIS_URL=redis://127.0.0.1:1")
	rec := admin(t, b, http.MethodPost, "/invalidate", `{"tags":["product:A","product:B"]}`, "Bearer "+adminToken)
	assert.Equal(t, http.StatusServiceUnavailable, rec.Code)
	p := decoded[adminProblem](t, rec)
	assert.Equal(t, 2, p.Invalidated)
	assert.Equal(t, "Other processes do not know yet", p.Title)
	assert.Contains(t, log.String(), `"told":false`)
	assert.Equal(t, 2, decoded[cache.State](t, admin(t, b, http.MethodGet, "/cache", "")).Invalidations.Follower.Untold)
}

// A value that is wrong, seen by who is on call: asked for, explained, dropped, loaded anew.
func TestTheCacheCanBeLookedAtAndEmptied(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	b, _ := open(t, append(sandboxtest.Environ(box.URL), "PORTICO_MODE=development", "ADMIN_TOKEN="+adminToken, "REDIS_URL=redis://"+miniredis.RunT(t).Addr())...)
	f := box.Fixture()
	sku := f.Products[0]
	load := func() {
		t.Helper()
		_, err := b.Ports.Catalog.Products(t.Context(), f.Market, []commerce.SKU{sku})
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		return decoded[cache.State](t, admin(t, b, http.MethodGet, "/cache", "")).Invalidations.Follower.Hearing
	}, 30*time.Second, time.Millisecond)
	load()
	load()
	rec := admin(t, b, http.MethodGet, "/cache", "")
	assert.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	assert.Equal(t, "application/json; charset=utf-8", rec.Header().Get("Content-Type"))
	assert.Regexp(t, `\n {1,2}\{"operation":"catalog\.products","system":"pimcore","scope":"public","asked":2,"memory":0\.5,`, rec.Body.String())
	var names []string
	for _, o := range decoded[cache.State](t, rec).Operations {
		names = append(names, string(o.Operation))
	}
	assert.IsIncreasing(t, names)

	path := "/cache/explain?operation=catalog.products&key=" + string(sku)
	told := decoded[cache.Explanation](t, admin(t, b, http.MethodGet, path, ""))
	require.NotEmpty(t, told.Entries)
	assert.Equal(t, "memory", told.Entries[0].Tier)
	assert.True(t, told.Entries[0].Alive)

	invalidated(t, b, `{"keys":[{"operation":"catalog.products","key":"`+string(sku)+`"}]}`)
	for _, e := range decoded[cache.Explanation](t, admin(t, b, http.MethodGet, path, "")).Entries {
		assert.False(t, e.Alive)
		assert.Contains(t, e.Dead, "product:"+string(sku))
	}
	load()
	assert.True(t, decoded[cache.Explanation](t, admin(t, b, http.MethodGet, path, "")).Entries[0].Alive)
}

func TestTheCacheIsOnlyLookedAt(t *testing.T) {
	t.Parallel()
	b, _ := open(t, shopping()...)
	for _, path := range []string{"/cache", "/cache/explain?operation=catalog.products&key=A", "/cache/explain?tag=product:A"} {
		assert.Equal(t, http.StatusOK, admin(t, b, http.MethodGet, path, "").Code)
		assert.Equal(t, http.StatusOK, admin(t, b, http.MethodHead, path, "").Code)
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
			assert.Equal(t, http.StatusMethodNotAllowed, admin(t, b, method, path, "").Code)
		}
	}
	for query, field := range map[string]string{
		"": "operation", "key=A": "operation", "operation=nope&key=A": "operation", "operation=catalog.products": "key",
		"operation=catalog.products&key=A&chanel=us": "", "operation=catalog.products&key=A&key=B": "key", "tag=": "tag", "tag=a&tag=b": "tag", "tag=a&operation=b": "tag", "operation=%zz": "",
	} {
		rec := admin(t, b, http.MethodGet, "/cache/explain?"+query, "")
		assert.Equal(t, http.StatusBadRequest, rec.Code, query)
		assert.Equal(t, field, decoded[adminProblem](t, rec).Field, query)
	}
	told := decoded[cache.Explanation](t, admin(t, b, http.MethodGet, "/cache/explain?operation=orders.orders&key=C1", ""))
	assert.True(t, told.Private)
	assert.Empty(t, told.Key)
}
