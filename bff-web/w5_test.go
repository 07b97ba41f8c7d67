package bffweb

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// sent is one cell of the matrix of what a browser, or anything else, may send.
type sent struct{ method, contentType, origin, site, csrf, cookie string }

// want is the status that the rule asks for: what a browser may have been tricked into
// is refused, whatever else is right about it.
func (c sent) want() int {
	own := c.origin == "http://portico.test" || c.origin == "https://shop.example" || c.origin == "" && c.site == "same-origin"
	switch {
	case (c.cookie != "" || c.origin != "" || c.site != "") && (c.csrf != "1" || !own):
		return http.StatusForbidden
	case c.method == http.MethodPost && !strings.HasPrefix(c.contentType, "application/json"):
		return http.StatusUnsupportedMediaType
	case c.method != http.MethodPost && c.method != http.MethodGet:
		return http.StatusMethodNotAllowed
	default:
		return http.StatusOK
	}
}

func (c sent) request(t *testing.T) *http.Request {
	const query = `{product(sku:"MUG-RED"){name}}`
	address, body := "http://portico.test/graphql", ""
	switch c.method {
	case http.MethodGet:
		address += "?query=" + url.QueryEscape(query)
	default:
		body = `{"query":"{product(sku:\"MUG-RED\"){name}}"}`
	}
	r := httptest.NewRequestWithContext(t.Context(), c.method, address, strings.NewReader(body))
	for name, value := range map[string]string{"Content-Type": c.contentType, "Origin": c.origin, "Sec-Fetch-Site": c.site, "X-CSRF": c.csrf, "Cookie": c.cookie} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	return r
}

// TestW5_EverythingABrowserMaySend takes methods, content types, origins, fetch
// metadata, the header and cookies in all combinations.
func TestW5_EverythingABrowserMaySend(t *testing.T) {
	t.Parallel()
	s := open(t)
	cells, answered := 0, 0
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		for _, contentType := range []string{"", "application/json", "application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
			for _, origin := range []string{"", "null", "http://portico.test", "https://portico.test.evil.example", "https://shop.example", "https://evil.example"} {
				for _, site := range []string{"", "none", "same-origin", "same-site", "cross-site"} {
					for _, csrf := range []string{"", "0", "1"} {
						for _, cookie := range []string{"", "session=1"} {
							c := sent{method, contentType, origin, site, csrf, cookie}
							before := s.TotalCalls()
							a := s.send(t, c.request(t))
							asked := s.TotalCalls() - before
							cells++
							if assert.Equal(t, c.want(), a.Status, "%+v: %s", c, a.Raw); a.Status == http.StatusOK {
								answered++
								assert.Equal(t, 1, asked, "%+v", c)
								continue
							}
							assert.Zero(t, asked, "%+v", c)
							assert.NotContains(t, a.Raw, `"data"`)
						}
					}
				}
			}
		}
	}
	t.Logf("%d combinations, %d answered", cells, answered)
	assert.Positive(t, answered)
}

// TestA14_NoOriginIsReflected holds that CORS headers go to listed origins alone, with
// any method, and credentials to none.
func TestA14_NoOriginIsReflected(t *testing.T) {
	t.Parallel()
	s := open(t)
	for origin, listed := range map[string]bool{
		"https://shop.example": true, "null": false, "*": false, "https://evil.example": false, "http://shop.example": false,
		"https://shop.example.evil.example": false, "https://evilshop.example": false, "https://shop.example:443": false, "https://SHOP.example": false,
		"https://shop.example/": false, "https://shop.example, https://evil.example": false, "https://shop.example\x00.evil.example": false,
		"https://sub.shop.example": false, "https://shop.exampl": false, "http://portico.test": false,
	} {
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodOptions} {
			for _, preflight := range []string{"", http.MethodPost, http.MethodPut} {
				c := sent{method: method, contentType: "application/json", csrf: "1"}
				r := c.request(t)
				r.Header["Origin"] = []string{origin}
				if preflight != "" {
					r.Header.Set("Access-Control-Request-Method", preflight)
				}
				a := s.send(t, r)
				if listed {
					assert.Equal(t, []string{origin}, a.Header.Values("Access-Control-Allow-Origin"), method)
				} else {
					assert.Empty(t, a.Header.Values("Access-Control-Allow-Origin"), origin)
					assert.Empty(t, a.Header.Values("Access-Control-Allow-Headers"), origin)
				}
				assert.Empty(t, a.Header.Values("Access-Control-Allow-Credentials"), origin)
				assert.Equal(t, method != http.MethodPost, strings.Contains(strings.Join(a.Header.Values("Vary"), ", "), "Origin"), method)
			}
		}
	}
}
