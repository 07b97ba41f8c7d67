package magento

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestOAuth(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	const path = "/orders?searchCriteria[filter_groups][0][filters][0][field]=increment_id&searchCriteria[filter_groups][0][filters][0][value]=a%20b%2Bc"
	now := time.Now()
	for name, tc := range map[string]struct {
		tamper func(*http.Request)
		status int
		says   string
	}{
		"as it should be": {func(r *http.Request) { sign(r, DefaultTokenSecret, now, "n1") }, 200, "items"},
		"replayed":        {func(r *http.Request) { sign(r, DefaultTokenSecret, now, "used") }, 401, "The nonce is already being used by the consumer with ID %1"},
		"too old":         {func(r *http.Request) { sign(r, DefaultTokenSecret, now.Add(-11*time.Minute), "n2") }, 401, "Incorrect timestamp"},
		"from the future": {func(r *http.Request) { sign(r, DefaultTokenSecret, now.Add(11*time.Minute), "n3") }, 401, "Incorrect timestamp"},
		"wrong secret":    {func(r *http.Request) { sign(r, "guess", now, "n4") }, 401, "The signature is invalid."},
		"no nonce":        {func(r *http.Request) { sign(r, DefaultTokenSecret, now, "") }, 401, "nonce"},
		"another query": {func(r *http.Request) {
			sign(r, DefaultTokenSecret, now, "n5")
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "a%20b", "x", 1)
		}, 401, "The signature is invalid."},
		"another path": {func(r *http.Request) {
			sign(r, DefaultTokenSecret, now, "n6")
			r.RequestURI = strings.Replace(r.RequestURI, "default", "eur", 1)
		}, 401, "The signature is invalid."},
		"another host": {func(r *http.Request) { sign(r, DefaultTokenSecret, now, "n7"); r.Host = "other.example.test" }, 401, "The signature is invalid."},
		"another method": {func(r *http.Request) {
			sign(r, DefaultTokenSecret, now, "n8")
			edit(r, "HMAC-SHA256", "PLAINTEXT")
		}, 401, "not supported"},
		"another consumer": {func(r *http.Request) {
			sign(r, DefaultTokenSecret, now, "n9")
			edit(r, DefaultConsumerKey, "somebody")
		}, 401, "A consumer having the specified key does not exist"},
		"another token": {func(r *http.Request) {
			sign(r, DefaultTokenSecret, now, "n10")
			edit(r, `oauth_token="`+DefaultToken, `oauth_token="other`)
		}, 401, "token does not exist"},
		"twice the same name": {func(r *http.Request) {
			sign(r, DefaultTokenSecret, now, "n11")
			r.Header.Set("Authorization", r.Header.Get("Authorization")+`,oauth_nonce="x"`)
		}, 401, "oauth_problem"},
		"garbage": {func(r *http.Request) { r.Header.Set("Authorization", "OAuth x") }, 401, "oauth_problem"},
		"bearer":  {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+DefaultToken) }, 401, "%resources"},
		"nothing": {func(*http.Request) {}, 401, "%resources"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "replayed" {
				first := c.request(http.MethodGet, path, "")
				tc.tamper(first)
				status, _ := c.do(first)
				assert.Equal(t, http.StatusOK, status)
			}
			req := c.request(http.MethodGet, path, "")
			tc.tamper(req)
			status, body := c.do(req)
			assert.Equal(t, tc.status, status, body)
			assert.Contains(t, body, tc.says)
		})
	}
}

func edit(r *http.Request, from, to string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), from, to, 1))
}

// Nonces are remembered as long as their timestamps are accepted, then let go.
func TestNoncesAreForgotten(t *testing.T) {
	t.Parallel()
	now := time.Now()
	v := newVerifier(Options{Now: func() time.Time { return now }})
	assert.True(t, v.firstUse("a"))
	now = now.Add(2*window + time.Second)
	assert.False(t, v.firstUse("a"))
	now = now.Add(2*window + time.Second)
	assert.True(t, v.firstUse("a"))
	assert.Len(t, v.recent, 1)
}
