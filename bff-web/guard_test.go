package bffweb

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

// TestW5_OnlyOurPagesMayCall takes the matrix of what a browser may send.
func TestW5_OnlyOurPagesMayCall(t *testing.T) {
	t.Parallel()
	s := open(t)
	const own, listed = "http://portico.test", "https://shop.example"
	for _, c := range []struct {
		cookie, origin, site, csrf string
		want                       int
	}{
		{want: 200}, // a server or an app: no authority it did not choose
		{csrf: "1", want: 200},
		{origin: own, csrf: "1", want: 200},
		{origin: listed, csrf: "1", want: 200},
		{origin: listed, site: "cross-site", csrf: "1", want: 200},
		{site: "same-origin", csrf: "1", want: 200},
		{cookie: "s=1", origin: own, csrf: "1", want: 200},
		{cookie: "s=1", site: "same-origin", csrf: "1", want: 200},
		{origin: own, want: 403},
		{origin: listed, want: 403},
		{origin: own, csrf: "true", want: 403},
		{site: "same-origin", want: 403},
		{site: "cross-site", csrf: "1", want: 403},
		{site: "same-site", csrf: "1", want: 403},
		{site: "none", csrf: "1", want: 403},
		{cookie: "s=1", want: 403},
		{cookie: "s=1", csrf: "1", want: 403},
		{origin: "https://evil.example", csrf: "1", want: 403},
		{origin: "https://evil.example", site: "same-origin", csrf: "1", want: 403},
		{origin: "null", csrf: "1", want: 403},
		{origin: "https://shop.example.evil.example", csrf: "1", want: 403},
		{origin: "https://evilshop.example", csrf: "1", want: 403},
		{origin: "http://portico.test:81", csrf: "1", want: 403},
		{origin: "http://portico.test/x", csrf: "1", want: 403},
		{origin: "http://user@portico.test", csrf: "1", want: 403},
	} {
		var headers []header
		for name, v := range map[string]string{"Cookie": c.cookie, "Origin": c.origin, "Sec-Fetch-Site": c.site, "X-CSRF": c.csrf} {
			if v != "" {
				headers = append(headers, header{name, v})
			}
		}
		s.ResetCalls()
		a := s.query(t, `{product(sku:"MUG-RED"){name}}`, nil, headers...)
		assert.Equal(t, c.want, a.Status, "%+v", c)
		if c.want != http.StatusOK {
			assert.Equal(t, []string{"FORBIDDEN"}, a.codes())
			blamed := "Origin"
			if c.csrf != "1" {
				blamed = "X-CSRF"
			} else if c.origin == "" {
				blamed = "Sec-Fetch-Site"
			}
			assert.Equal(t, blamed, a.Errors[0].Extensions["field"], "%+v", c)
			assert.Contains(t, a.Errors[0].Message, blamed+": must be ")
			assert.Zero(t, s.TotalCalls())
		}
	}
}

func TestW5_OnlyJSONBodies(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, contentType := range []string{
		"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/graphql",
		"application/json; charset=latin1", "application/jsonp", "application/json,text/plain",
	} {
		a := s.post(t, `{"query":"{product(sku:\"MUG-RED\"){name}}"}`, header{"Content-Type", contentType})
		assert.Equal(t, http.StatusUnsupportedMediaType, a.Status, contentType)
	}
	a := s.post(t, `{"query":"{__typename}"}`, header{"Content-Encoding", "gzip"})
	assert.Equal(t, http.StatusUnsupportedMediaType, a.Status)
	assert.Zero(t, s.TotalCalls())
	a = s.post(t, `{"query":"{__typename}"}`, header{"Content-Type", "application/json; charset=utf-8"})
	assert.Equal(t, http.StatusOK, a.Status)
}

func TestA14_CORSAnswersListedOriginsOnly(t *testing.T) {
	t.Parallel()
	s := open(t)
	preflight := func(origin string) answer {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "http://portico.test/graphql", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		return s.send(t, r)
	}
	a := preflight("https://shop.example")
	assert.Equal(t, http.StatusNoContent, a.Status)
	assert.Equal(t, "https://shop.example", a.Header.Get("Access-Control-Allow-Origin"))
	assert.Contains(t, a.Header.Get("Access-Control-Allow-Headers"), "X-CSRF")
	assert.Empty(t, a.Header.Get("Access-Control-Allow-Credentials"))
	for _, origin := range []string{"null", "https://evil.example", "https://shop.example.evil.example", "https://evilshop.example", "http://shop.example", "https://shop.example:8443", "*"} {
		a := preflight(origin)
		assert.Equal(t, http.StatusForbidden, a.Status, origin)
		assert.Empty(t, a.Header.Get("Access-Control-Allow-Origin"), origin)
		assert.Contains(t, strings.Join(a.Header.Values("Vary"), ","), "Origin")
	}
}

func TestBadTokensAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	for value, want := range map[string]int{"Bearer forged": 401, "Basic x": 401, "Bearer nobody-up": 503} {
		a := s.query(t, `{product(sku:"MUG-RED"){name}}`, nil, header{"Authorization", value})
		assert.Equal(t, want, a.Status, value)
		assert.NotContains(t, a.Raw, "forged")
		if want == http.StatusUnauthorized {
			assert.Equal(t, "Bearer", a.Header.Get("WWW-Authenticate"))
			assert.Equal(t, []string{"UNAUTHENTICATED"}, a.codes())
		}
	}
	assert.Zero(t, s.TotalCalls())
}

func TestW2_Limits(t *testing.T) {
	t.Parallel()
	s := open(t)
	repeat := func(n int, f func(int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(f(i))
		}
		return b.String()
	}
	chain := "{...F0}" + repeat(19, func(i int) string { return fmt.Sprintf("fragment F%d on Query{...F%d ...F%d}", i, i+1, i+1) }) +
		"fragment F19 on Query{__typename}"
	for name, c := range map[string]struct{ query, message string }{
		"tokens":     {"{" + repeat(1000, func(int) string { return "a " }) + "}", "token count 1002 exceeds 1000"},
		"depth":      {`{product(sku:"A"){related{related{related{related{related{related{sku}}}}}}}}`, "depth 7 exceeds 6"},
		"aliases":    {"{" + repeat(11, func(i int) string { return fmt.Sprintf("a%d:__typename ", i) }) + "}", "alias count 11 exceeds 10"},
		"deep alias": {`{categories{` + repeat(11, func(i int) string { return fmt.Sprintf("a%d:name ", i) }) + "}}", "alias count 11 exceeds 10"},
		"directives": {"{__typename " + repeat(11, func(int) string { return "@skip(if:false)" }) + "}", "directive count 11 exceeds 10"},
		"fragments":  {"{__typename}" + repeat(21, func(i int) string { return fmt.Sprintf("fragment F%d on Query{__typename}", i) }), "fragments"},
		"expansion":  {chain, "root field count 524288 exceeds 10"},
		"same key":   {"{" + repeat(7, func(int) string { return "__typename " }) + "}", "fields of one name in one selection set: 6 exceeds 5"},
		"one set":    {"{categories{" + repeat(151, func(i int) string { return fmt.Sprintf("f%d ", i) }) + "}}", "fields in one selection set: 151 exceeds 150"},
		"nodes":      {`{search(first:100){nodes{related{related{sku}} variants{sku}}}}`, "objects in the answer: 5400 exceeds 5000"},
	} {
		a := s.query(t, c.query, nil)
		assert.Equal(t, http.StatusBadRequest, a.Status, "%s: %s", name, a.Raw)
		assert.Equal(t, []string{"QUERY_LIMIT"}, a.codes(), name)
		assert.Contains(t, a.Raw, c.message, name)
	}
	assert.Zero(t, s.TotalCalls())
	a := s.query(t, productPage, map[string]any{"sku": "MUG-RED"})
	assert.Equal(t, http.StatusOK, a.Status, "a product page is within the limits")
}

func TestInFlightLimit(t *testing.T) {
	t.Parallel()
	s := open(t, func(b *edge.Backend) { b.Config.Limits.MaxInFlight = 1 })
	entered, leave := make(chan struct{}), make(chan struct{})
	s.Hold(commerce.OpProducts, func(context.Context) { close(entered); <-leave })
	done := make(chan int)
	go func() {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://portico.test/graphql", strings.NewReader(`{"query":"{product(sku:\"MUG-RED\"){name}}"}`))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		done <- w.Code
	}()
	<-entered
	a := s.query(t, `{__typename}`, nil)
	assert.Equal(t, http.StatusServiceUnavailable, a.Status)
	assert.NotEmpty(t, a.Header.Get("Retry-After"))
	close(leave)
	assert.Equal(t, http.StatusOK, <-done)
}

// sluggish is a body whose sender takes its time.
type sluggish struct {
	once            sync.Once
	asked, complete chan struct{}
}

// Read tells that the body is waited for, and ends with it.
func (b *sluggish) Read([]byte) (int, error) {
	b.once.Do(func() { close(b.asked) })
	<-b.complete
	return 0, io.EOF
}

// TestW12_SlowBodiesHoldNoSlot holds that those who send a byte a second cannot
// take all the places of those who send at once.
func TestW12_SlowBodiesHoldNoSlot(t *testing.T) {
	t.Parallel()
	s := open(t, func(b *edge.Backend) { b.Config.Limits.MaxInFlight = 1 })
	body := &sluggish{asked: make(chan struct{}), complete: make(chan struct{})}
	done := make(chan int)
	go func() {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://portico.test/graphql", body)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		done <- w.Code
	}()
	<-body.asked
	assert.Equal(t, http.StatusOK, s.query(t, `{__typename}`, nil).Status)
	close(body.complete)
	assert.Equal(t, http.StatusBadRequest, <-done, "an empty body is no request")
}

// TestW13_ChunkedBodiesCloseTheConnection speaks HTTP by hand.
func TestW13_ChunkedBodiesCloseTheConnection(t *testing.T) {
	t.Parallel()
	s := open(t)
	ts := httptest.NewServer(s.handler)
	defer ts.Close()
	var d net.Dialer
	conn, err := d.DialContext(t.Context(), "tcp", ts.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	body := `{"query":"{__typename}"}`
	_, err = fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	require.NoError(t, err)
	raw := make([]byte, 0, 1024)
	buf := make([]byte, 1024)
	for err == nil { // until the server closes
		var n int
		n, err = conn.Read(buf)
		raw = append(raw, buf[:n]...)
	}
	assert.Contains(t, string(raw), "Connection: close")
	assert.Contains(t, string(raw), `"__typename":"Query"`)
}

func TestLogLine(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.ok(t, `query Shop { product(sku:"MUG-RED") { name } }`, nil)
	assert.NotEmpty(t, a.Header.Get("X-Request-Id"))
	log := s.log.String()
	assert.Equal(t, 1, strings.Count(log, a.Header.Get("X-Request-Id")), log)
	assert.Contains(t, log, "Shop")
	assert.NotContains(t, log, "MUG-RED")
}

// TestParsedQueriesAreBounded weighs the largest queries there are: the cache of
// parsed queries must be able to hold nothing else. It runs alone: it looks at the process's memory.
func TestParsedQueriesAreBounded(t *testing.T) { //nolint:paralleltest // measures the heap
	s := open(t)
	var fragments, spreads strings.Builder
	for i := range 20 {
		fmt.Fprintf(&spreads, "...F%d ", i)
		fmt.Fprintf(&fragments, " fragment F%d on Product {", i)
		for _, field := range []string{"sku", "name", "brand", "description", "updatedAt"} {
			fragments.WriteString(strings.Repeat(" "+field, 5))
		}
		fragments.WriteString("}")
	}
	before := heap()
	const sent = 80
	for i := range sent {
		s.ok(t, fmt.Sprintf(`{ product(sku: "MUG-RED") { %s } } %s # %d %s`, &spreads, &fragments, i, strings.Repeat("x", 27_000)), nil)
	}
	each := (heap() - before) / sent
	assert.Less(t, each*queryCacheSize, 64<<20, "bytes, at %d a query", each)
	runtime.KeepAlive(s)
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
