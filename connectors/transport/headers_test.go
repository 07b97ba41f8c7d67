package transport

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ours are the headers that an upstream may see beside those a connector may set.
var oursOnWire = map[string]bool{
	"Host": true, "User-Agent": true, "Content-Length": true, "Accept-Encoding": true, timeoutHeader: true,
}

// hopByHop are those that belong to one connection (RFC 9110 §7.6.1).
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

func TestN13_CredentialsDoNotFollowARedirect(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, target := range []string{other.URL, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), "//" + strings.TrimPrefix(other.URL, "http://"), "/same-host"} {
			var here atomic.Int64
			c, _ := serve(t, Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				here.Add(1)
				assert.Equal(t, "Bearer secret", r.Header.Get("Authorization"))
				w.Header().Set("Location", target)
				w.Header().Set("Refresh", "0; url="+target)
				w.WriteHeader(status)
			}))
			c.sign = func(r *http.Request) error {
				r.Header.Set("Authorization", "Bearer secret")
				r.Header.Set("X-Api-Key", "secret")
				return nil
			}
			for _, req := range []Request{get("a"), post(`{}`, "b")} {
				here.Store(0)
				_, err := do(t, c, readTraits, req)
				require.ErrorIs(t, err, errRedirect)
				assert.Equal(t, int64(1), here.Load(), "%d to %s", status, target)
			}
		}
	}
	assert.Zero(t, elsewhere.Load())
}

// What a signer adds by mistake, or copies from a client's request, does not
// leave either.
func TestN15_SignersAddCredentialsOnly(t *testing.T) {
	t.Parallel()
	var seen http.Header
	c, server := serve(t, Config{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		seen["Host"] = []string{r.Host}
		seen["Transfer-Encoding"] = r.TransferEncoding
	}))
	c.sign = func(r *http.Request) error {
		r.Header.Set("Authorization", "Bearer token")
		for _, name := range append(hopByHop, "Cookie", "Host", "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-Ip", "X-Internal-User", "Idempotency-Key") {
			r.Header.Set(name, "x")
		}
		r.Header["x-forwarded-proto"] = []string{"http"}
		r.Header["cookie"] = []string{"a=b"}
		r.Header["Connection"] = []string{"close, X-Named", "x-also-named"}
		r.Header["X-Named"] = []string{"x"}
		r.Header["X-Also-Named"] = []string{"x"}
		return nil
	}
	_, err := do(t, c, readTraits, post(`{}`))
	require.NoError(t, err)
	seen.Del(timeoutHeader)
	assert.Equal(t, http.Header{
		"Accept": {"application/json"}, "Accept-Encoding": {"gzip"}, "Authorization": {"Bearer token"}, "Content-Length": {"2"},
		"Content-Type": {"application/json"}, "User-Agent": {userAgent},
		"Host": {strings.TrimPrefix(server.URL, "http://")}, "Transfer-Encoding": nil,
	}, seen)
}

// A signer that changes the URL must not change it for the next attempt.
func TestSignersGetAURLOfTheirOwn(t *testing.T) {
	t.Parallel()
	var queries []string
	c, _ := serve(t, Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		queries = append(queries, r.URL.RawQuery)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	c.sign = func(r *http.Request) error {
		r.URL.RawQuery += "&signature=1"
		return nil
	}
	_, err := do(t, c, readTraits, Request{Method: http.MethodGet, Query: values("q", "1")})
	require.Error(t, err)
	assert.Equal(t, []string{"q=1&signature=1", "q=1&signature=1", "q=1&signature=1"}, queries)
}

// A header whose value cannot be sent is the request's fault: it is not tried
// again, and says nothing about the upstream.
func TestN15_ValuesThatCannotBeSentAreRefused(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"a\r\nX-Internal-User: admin", "a\nb", "a\x00b", "\x7f"} {
		var calls atomic.Int64
		c, _ := serve(t, Config{}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
		for range 30 {
			_, err := do(t, c, readTraits, Request{Method: http.MethodGet, Header: http.Header{"X-Request-Id": {value}}})
			require.Error(t, err)
		}
		assert.Zero(t, calls.Load())
		_, err := do(t, c, readTraits, get())
		require.NoError(t, err, "%q has not opened the breaker", value)
	}
}

// onTheWire is a client, and how to get what it wrote last.
func onTheWire(t testing.TB) (*Client, func() []byte) {
	t.Helper()
	var (
		mu     sync.Mutex
		served sync.WaitGroup
		sent   bytes.Buffer
	)
	t.Cleanup(served.Wait)
	c := dialled(t, Config{MaxAttempts: 1}, func() net.Conn {
		ours, theirs := net.Pipe()
		served.Go(func() {
			defer func() { _ = theirs.Close() }()
			in := bufio.NewReader(theirs)
			for {
				line, err := in.ReadBytes('\n')
				if err != nil {
					return
				}
				mu.Lock()
				sent.Write(line)
				mu.Unlock()
				if len(bytes.TrimRight(line, "\r\n")) == 0 {
					_, _ = theirs.Write([]byte("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"))
					return
				}
			}
		})
		return ours
	})
	return c, func() []byte {
		mu.Lock()
		defer mu.Unlock()
		defer sent.Reset()
		return bytes.Clone(sent.Bytes())
	}
}

// Whatever names and values a connector or a signer comes with: what is on the
// wire is one request with headers that are allowed, and nothing else.
func FuzzHeaderFilter(f *testing.F) {
	for _, s := range [][2]string{
		{"Accept-Language", "fr"},
		{"accept-language", "fr\r\nCookie: a=b"},
		{"Connection", "X-Api-Key"},
		{"Transfer-Encoding", "chunked"},
		{"transfer-encoding", "x"},
		{"X-Forwarded-For", "1.2.3.4"},
		{"Cookie", "a=b"},
		{"Host", "h"},
		{"X-Internal-User", "a"},
		{"Idempotency-Key", "k"},
		{"iDEMPOTENCY-kEY", "k"},
		{"Content-Length", "5"},
		{"Expect", "100-continue"},
		{"Accept: x\r\nCookie", "a"},
		{"X A", "b"},
		{"", ""},
		{"Store", "\x00"},
		{"Traceparent", "é"},
	} {
		f.Add(s[0], s[1], true)
		f.Add(s[0], s[1], false)
	}
	const credential = "X-Api-Key"
	c, wrote := onTheWire(f)
	var fromSigner http.Header
	c.sign = func(r *http.Request) error {
		r.Header.Set(credential, "secret")
		for name, values := range fromSigner {
			r.Header[name] = values
		}
		return nil
	}
	f.Fuzz(func(t *testing.T, name, value string, bySigner bool) {
		req := get("a")
		fromSigner = nil
		if bySigner {
			fromSigner = http.Header{name: {value}}
		} else {
			req.Header = http.Header{name: {value}}
		}
		traits := readTraits
		traits.Access = 0 // one attempt
		_, err := do(t, c, traits, req)
		sent := wrote()
		if len(sent) == 0 {
			require.Error(t, err)
			return
		}
		in := textproto.NewReader(bufio.NewReader(bytes.NewReader(sent)))
		line, err := in.ReadLine()
		require.NoError(t, err)
		require.Equal(t, "GET /a HTTP/1.1", line)
		header, err := in.ReadMIMEHeader()
		require.NoError(t, err, "%q", sent)
		for got := range header {
			signed := bySigner && got == http.CanonicalHeaderKey(name)
			require.True(t, oursOnWire[got] || allowedHeaders[got] || got == credential || signed, "%q in %q", got, sent)
			require.NotContains(t, append(hopByHop, "Cookie", "Forwarded", "Idempotency-Key", "X-Idempotency-Key"), got)
			require.False(t, strings.HasPrefix(got, "X-Forwarded-") || strings.HasPrefix(got, "X-Internal-"), got)
		}
		require.Equal(t, []string{"upstream.example"}, header["Host"])
		rest, err := in.ReadLine()
		require.Error(t, err, "%q after the request", rest)
	})
}
