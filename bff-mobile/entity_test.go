package bffmobile

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/schema/commerce"
)

// ifNone is c on condition that the client has none of tags.
func ifNone(c call, tags ...string) call {
	c.headers = append(slices.Clone(c.headers), "If-None-Match", strings.Join(tags, ", "))
	return c
}

// representations are requests that differ in all that an answer may depend on.
func representations() []call {
	var list []call
	for _, token := range []string{"", "Bearer C1", "Bearer C2"} {
		for _, channel := range []string{"us", "eu", "uk"} {
			for _, currency := range []string{"USD", "EUR", "GBP"} {
				for _, coding := range []string{"identity", "gzip", "zstd", "br"} {
					for _, platform := range []string{"ios", "android"} {
						for _, path := range []string{"/v1/screens/products/MUG-RED", "/v1/screens/products/MUG-RED?fields=name,price", "/v1/screens/home", "/v1/screens/account", "/v1/orders"} {
							headers := []string{"X-Channel", channel, "X-Currency", currency, "Accept-Encoding", coding, "X-Platform", platform}
							if token != "" {
								headers = append(headers, "Authorization", token)
							}
							if private := path == "/v1/screens/account" || path == "/v1/orders"; !private || token != "" {
								list = append(list, get(path, headers...))
							}
						}
					}
				}
			}
		}
	}
	return list
}

// tagged is a request with what it was answered.
type tagged struct {
	call
	answer
	tag string
	who string // who asked
}

// Each request is told that nothing has changed by its own tag, and by no tag of another's
// answer, be it in what it differs. One tag stands for one sequence of bytes.
func TestM10_NoOneGetsAnothers304(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t, withManyAddresses)
	var all []tagged
	byTag := map[string]tagged{}
	for _, c := range representations() {
		a := s.ok(t, c)
		own := tagged{c, a, a.Header.Get("Etag"), c.request(t).Header.Get("Authorization")}
		require.Regexp(t, `^"[A-Za-z0-9_-]{24}"$`, own.tag, c.path)
		if before, known := byTag[own.tag]; known {
			require.Equal(t, before.Raw, a.Raw, "%v and %v have one tag", before.headers, c.headers)
			require.Equal(t, before.Header.Get("Content-Encoding"), a.Header.Get("Content-Encoding"))
			require.Equal(t, before.who, own.who)
			require.Equal(t, before.path, own.path)
		}
		byTag[own.tag] = own
		all = append(all, own)
	}
	require.Greater(t, len(byTag), len(all)/4)
	const atOnce = 18 // tags fit 512 bytes
	for _, own := range all {
		require.Equal(t, http.StatusNotModified, s.checked(t, ifNone(own.call, own.tag)).Status)
		var others []string
		for tag := range byTag {
			if tag != own.tag {
				others = append(others, tag)
			}
		}
		for chunk := range slices.Chunk(others, atOnce) {
			a := s.send(t, ifNone(own.call, chunk...))
			require.Equal(t, http.StatusOK, a.Status, "%v: with another's tag", own.headers)
			require.Equal(t, own.Raw, a.Raw)
		}
	}
}

// A 304 has what a cache needs to renew what it has (RFC 9110, 15.4.5), and nothing that
// would describe a body.
func TestA304CostsNoCallAndNoBody(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	addr, _ := s.serve(t)
	conn := dial(t, addr)
	for name, headers := range map[string]string{"anyone": "", "customer": "Authorization: Bearer C1\r\n"} {
		ask := func(method, more string) (string, string) {
			got, _ := conn.ask(t, method+" /v1/screens/products/MUG-RED HTTP/1.1\r\nHost: portico.test\r\nAccept-Encoding: br\r\n"+headers+more+"\r\n")
			head, body, _ := strings.Cut(got, "\r\n\r\n")
			return head, body
		}
		head, body := ask("GET", "")
		require.NotEmpty(t, body)
		tag := tagLine.FindStringSubmatch(head)
		require.NotNil(t, tag, head)
		s.ResetCalls()
		for _, method := range []string{"GET", "HEAD"} {
			for _, match := range []string{tag[1], "W/" + tag[1], `"other", ` + tag[1], "*", `"other"` + "\r\nIf-None-Match: " + tag[1]} {
				unchanged, none := ask(method, "If-None-Match: "+match+"\r\n")
				require.True(t, strings.HasPrefix(unchanged, "HTTP/1.1 304 "), "%s: %s: %q", name, match, unchanged)
				require.Empty(t, none)
				for _, field := range []string{"Etag", "Cache-Control", "Vary", "Date", "X-Request-Id"} {
					require.Contains(t, unchanged, "\r\n"+field+": ", name)
				}
				for _, field := range []string{"Content-Length", "Content-Type", "Content-Encoding", "Content-Language", "X-Channel", "X-Currency", "X-Country", "Surrogate-Key"} {
					require.NotContains(t, unchanged, "\r\n"+field+": ", name)
				}
				require.Equal(t, line(head, "Vary"), line(unchanged, "Vary"))
				require.Equal(t, name == "anyone", strings.Contains(unchanged, "\r\nAge: "))
			}
		}
		require.Equal(t, "hit", s.how(t))
		require.Zero(t, s.TotalCalls())
		other, body := ask("GET", `If-None-Match: "other"`+"\r\n")
		require.True(t, strings.HasPrefix(other, "HTTP/1.1 200 "))
		require.NotEmpty(t, body)
	}
}

// When nothing is left of an answer but what it was made of, and all of that is as it was,
// who has the answer is told so: nobody is asked, and nothing is made.
func TestA304IsProvenWhereTheBodyIsGone(t *testing.T) {
	t.Parallel()
	s, c := keeping(t)
	for _, headers := range [][]string{{"Accept-Encoding", "br"}, {"Accept-Encoding", "br", "Authorization", "Bearer C1"}} {
		screen := get("/v1/screens/products/MUG-RED", headers...)
		tag := s.ok(t, screen).Header.Get("Etag")
		s.ok(t, screen)
		require.NoError(t, c.Invalidate(t.Context(), "stock:MUG-RED"))
		a := s.ok(t, ifNone(screen, `"another"`))
		require.Equal(t, "miss", s.how(t))
		require.Equal(t, tag, a.Header.Get("Etag"))
		require.NoError(t, c.Invalidate(t.Context(), "stock:MUG-RED"))
		s.ok(t, get("/v1/screens/products/MUG-RED", "Accept-Encoding", "gzip")) // loads the stock again
		s.ResetCalls()
		unchanged := s.checked(t, ifNone(screen, tag))
		require.Equal(t, "proven", s.how(t), headers)
		require.Equal(t, http.StatusNotModified, unchanged.Status)
		require.Equal(t, tag, unchanged.Header.Get("Etag"))
		require.Zero(t, s.TotalCalls())
		for _, name := range []string{"Vary", "Etag"} {
			require.Equal(t, a.Header.Get(name), unchanged.Header.Get(name), name)
		}
		other := s.checked(t, ifNone(screen, `"another"`))
		require.Equal(t, http.StatusOK, other.Status)
		require.Equal(t, "miss", s.how(t), "who has it not is given it")
	}
}

// line is the value of a field in the text of a header.
func line(head, name string) string {
	_, rest, _ := strings.Cut(head, "\r\n"+name+": ")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// Own screens are kept by their owners, who ask each time whether they still have what there is.
func TestOwnersKeepTheirScreens(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	cart := s.filled(t)
	customer := []string{"Authorization", "Bearer C1"}
	for _, c := range []call{
		get("/v1/screens/account", customer...), get("/v1/orders", customer...), get("/v1/orders/000000007", customer...),
		get("/v1/screens/cart/" + guestCart), get("/v1/screens/checkout/" + guestCart), get("/v1/screens/home", customer...),
	} {
		a := s.checked(t, c)
		require.Equal(t, "private, no-cache", a.Header.Get("Cache-Control"), c.path)
		unchanged := s.checked(t, ifNone(c, a.Header.Get("Etag")))
		require.Equal(t, http.StatusNotModified, unchanged.Status, c.path)
		require.Equal(t, "private, no-cache", unchanged.Header.Get("Cache-Control"))
		require.Equal(t, a.Header.Get("Etag"), unchanged.Header.Get("Etag"))
		require.Empty(t, unchanged.Raw)
	}
	screen := get("/v1/screens/cart/" + guestCart)
	before := s.ok(t, screen).Header.Get("Etag")
	s.ok(t, call{"POST", cart + "/lines", `{"sku":"BOWL-1","quantity":1}`, nil})
	a := s.ok(t, ifNone(screen, before))
	require.Equal(t, http.StatusOK, a.Status, "the cart has changed")
	resource := s.ok(t, get(cart))
	require.Equal(t, "private, no-store", resource.Header.Get("Cache-Control"), "its tag is the same in each language")
	require.Equal(t, http.StatusOK, s.ok(t, ifNone(get(cart), resource.Header.Get("Etag"))).Status)
}

// What has a gap or is old has no tag: nobody is told that it is what there is.
func TestDegradedScreensHaveNoTag(t *testing.T) {
	t.Parallel()
	for path, op := range map[string]commerce.Operation{
		"/v1/screens/products/MUG-RED": commerce.OpReviews, "/v1/screens/home": commerce.OpPages, "/v1/screens/account": commerce.OpLoyalty,
	} {
		s, _ := keeping(t)
		c := get(path, "Authorization", "Bearer C1")
		whole := s.ok(t, c)
		require.NotEmpty(t, whole.Header.Get("Etag"), path)
		s, _ = keeping(t)
		s.Fail(op, commerce.ErrUnavailable)
		for _, match := range []string{whole.Header.Get("Etag"), "*"} {
			a := s.checked(t, ifNone(c, match))
			require.Equal(t, http.StatusOK, a.Status, path)
			require.Contains(t, a.Raw, "degraded", path)
			require.Empty(t, a.Header.Get("Etag"), path)
			require.Equal(t, "no-store", a.Header.Get("Cache-Control"), path)
		}
	}
}

// Every node tells the same tags, whoever keeps what.
func TestTwoNodesGiveOneTag(t *testing.T) {
	t.Parallel()
	one, _ := keeping(t)
	two, _ := keeping(t)
	forgetful := behindTheCache(t, 0)
	for _, c := range representations()[:60] {
		tag := one.ok(t, c).Header.Get("Etag")
		require.NotEmpty(t, tag)
		require.Equal(t, http.StatusNotModified, two.ok(t, ifNone(c, tag)).Status, c.path)
		require.Equal(t, http.StatusNotModified, forgetful.ok(t, ifNone(c, tag)).Status, "%s: composed, compared", c.path)
	}
}

// What was changed in any system changes the tag of what shows it, and of nothing else.
func TestAChangeOfAnyPartChangesTheTag(t *testing.T) {
	t.Parallel()
	box := sandboxtest.Start(t)
	s := against(t, box, "ADMIN_TOKEN="+adminToken)
	sku := string(box.Fixture().Reviewed)
	screen, other := get("/v1/screens/products/"+sku), get("/v1/screens/products/"+string(box.Fixture().SoldOut))
	tags := map[string]string{}
	tag := s.ok(t, screen).Header.Get("Etag")
	stays := s.ok(t, other).Header.Get("Etag")
	require.NotEmpty(t, tag)
	tags[tag] = "as it was"
	for _, change := range []string{`"name":"Helmet of another name"`, `"price":"71.25"`, `"stock":3`, `"stock":0`} {
		body := fmt.Sprintf(`{"sku":%q,%s}`, sku, change)
		res := post(t, box.URL+"/_sandbox/world", body)
		require.Equal(t, http.StatusOK, res, body)
		s.forget(t)
		a := s.ok(t, ifNone(screen, tag))
		require.Equal(t, http.StatusOK, a.Status, change)
		before, known := tags[a.Header.Get("Etag")]
		require.False(t, known, "%s: the tag of %s", change, before)
		tag = a.Header.Get("Etag")
		tags[tag] = change
		require.Equal(t, http.StatusNotModified, s.ok(t, ifNone(other, stays)).Status, change)
	}
	s.forget(t)
	require.Equal(t, http.StatusNotModified, s.ok(t, ifNone(screen, tag)).Status, "loaded anew, and the same")
}

const adminToken = "an-administrator-s-token"

// forget has the channel know nothing any more of what systems said.
func (s *shop) forget(t *testing.T) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://admin/invalidate", strings.NewReader(`{"tags":["all"]}`))
	r.Header.Set("Authorization", "Bearer "+adminToken)
	s.app.Backend().Admin().ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
}

func post(t *testing.T, url, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	res, err := (&http.Client{Timeout: time.Minute}).Do(r)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, res.Body)
	assert.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}
