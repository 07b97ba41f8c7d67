package transport

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestN7_FailuresDoNotEmptyThePool(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, "{}")
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c, err := New("odoo", patient(Config{BaseURL: server.URL, NoHedge: true}), nil, quiet())
	require.NoError(t, err)
	failing := readTraits
	for i := range 1000 {
		_, err := do(t, c, readTraits, get("good"))
		require.NoError(t, err)
		failing.Operation = commerce.Operation(fmt.Sprint("bad.", i/10)) // no breaker sees enough to open
		_, err = do(t, c, failing, get("bad"))
		require.ErrorContains(t, err, "status 500")
	}
	assert.LessOrEqual(t, opened.Load(), int64(4))
}

func TestN7_PoolLimits(t *testing.T) {
	t.Parallel()
	cfg, _, err := Config{BaseURL: "https://a.example"}.checked()
	require.NoError(t, err)
	pool := newPool(cfg)
	assert.GreaterOrEqual(t, pool.MaxIdleConnsPerHost, 64)
	assert.Positive(t, pool.MaxConnsPerHost)
	assert.LessOrEqual(t, dialTimeout, time.Second)
	assert.LessOrEqual(t, pool.TLSHandshakeTimeout, 2*time.Second)
	assert.Equal(t, int64(64<<10), pool.MaxResponseHeaderBytes)
	assert.Nil(t, pool.Proxy)
}

func TestN22_TLSIsNewEnoughAndVerified(t *testing.T) {
	t.Parallel()
	pool := newPool(Config{})
	assert.GreaterOrEqual(t, pool.TLSClientConfig.MinVersion, uint16(tls.VersionTLS12))
	assert.False(t, pool.TLSClientConfig.InsecureSkipVerify)

	var calls, handshakes atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			handshakes.Add(1)
		}
	}
	server.StartTLS() // its certificate is nobody's
	defer server.Close()
	c, err := New("odoo", patient(Config{BaseURL: server.URL, NoHedge: true}), nil, quiet())
	require.NoError(t, err)
	_, err = do(t, c, readTraits, get())
	require.ErrorIs(t, err, commerce.ErrUnavailable)
	require.ErrorIs(t, err, errCertificate)
	assert.Zero(t, calls.Load())
	assert.Equal(t, int64(1), handshakes.Load(), "not retried")
}

func TestN8_BodyLimitCountsDecodedBytes(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	for range 64 {
		_, err := zip.Write(make([]byte, 1<<20))
		require.NoError(t, err)
	}
	require.NoError(t, zip.Close())
	bodies := map[string]http.HandlerFunc{
		"plain": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1001)) },
		"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		},
		"headers": func(w http.ResponseWriter, _ *http.Request) {
			for i := range 70 {
				w.Header().Set("X-"+strings.Repeat("a", i+1), strings.Repeat("x", 1000))
			}
		},
		"encoding not asked for": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = io.WriteString(w, "{}")
		},
		"truncated": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{}")
		},
		"not HTTP": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "garbage\r\n\r\n")
				_ = conn.Close()
			}
		},
	}
	for name, handler := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			c, _ := serve(t, Config{MaxBodyBytes: 1000}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				handler(w, r)
			}))
			_, err := do(t, c, readTraits, get())
			require.ErrorIs(t, err, commerce.ErrUpstream)
			assert.Equal(t, commerce.ReasonBadAnswer, callError(t, err).Reason)
			assert.Equal(t, int64(1), calls.Load(), "a bad answer is not asked for again")
		})
	}
	t.Run("the limit itself fits", func(t *testing.T) {
		t.Parallel()
		c, _ := serve(t, Config{MaxBodyBytes: 1000}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(make([]byte, 1000))
		}))
		res, err := do(t, c, readTraits, get())
		require.NoError(t, err)
		assert.Len(t, res.Body, 1000)
	})
}

func TestN8_SlowDripEndsAtTheAttemptTimeout(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, Config{AttemptTimeout: 50 * time.Millisecond, MaxAttempts: 1}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, " "); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-time.After(5 * time.Millisecond):
			case <-r.Context().Done():
			}
		}
	}))
	begun := time.Now()
	_, err := do(t, c, readTraits, get())
	require.ErrorIs(t, err, commerce.ErrTimeout)
	assert.Less(t, time.Since(begun), time.Minute/2, "long before the call itself would end")
}

func TestN7_HeadersComeWithinTheAttemptTimeout(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, Config{AttemptTimeout: 50 * time.Millisecond, MaxAttempts: 1}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}))
	begun := time.Now()
	_, err := do(t, c, readTraits, get())
	require.ErrorIs(t, err, commerce.ErrTimeout)
	assert.Less(t, time.Since(begun), time.Minute/2, "long before the call itself would end")
}

func TestN8_DepthIsBounded(t *testing.T) {
	t.Parallel()
	for levels, ok := range map[int]bool{1: true, 64: true, 65: false, 100_000: false} {
		body := strings.Repeat("[", levels) + strings.Repeat("]", levels)
		var v any
		err := DecodeJSON("odoo", readTraits, answer("application/json", body), &v)
		if ok {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, commerce.ErrUpstream)
		}
	}
	var v any
	require.NoError(t, DecodeJSON("odoo", readTraits, answer("application/json", `"`+strings.Repeat(`[\"`, 100)+`"`), &v))
}

func TestN13_RedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, status := range []int{300, 301, 302, 303, 304, 307, 308} {
		c, _ := serve(t, Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", other.URL)
			w.WriteHeader(status)
		}))
		_, err := do(t, c, readTraits, get())
		require.ErrorIs(t, err, commerce.ErrUpstream, "status %d", status)
	}
	assert.Zero(t, elsewhere.Load())
}

func TestN13_CredentialsGoToTheConfiguredHostOnly(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*http.Request){
		"host":        func(r *http.Request) { r.URL.Host = "elsewhere.example" },
		"scheme":      func(r *http.Request) { r.URL.Scheme = "http" },
		"host header": func(r *http.Request) { r.Host = "elsewhere.example" },
	} {
		upstream := &script{steps: []step{{status: 200}}}
		c := over(t, Config{}, upstream)
		c.sign = func(r *http.Request) error { change(r); return nil }
		_, err := do(t, c, writeTraits, post(`{}`))
		require.ErrorIs(t, err, commerce.ErrUnavailable, name)
		require.NotErrorIs(t, err, commerce.ErrOutcomeUnknown, name)
		assert.Empty(t, upstream.seen, name)
	}
}

func TestN14_PathAndQueryAreEscaped(t *testing.T) {
	t.Parallel()
	var seen *http.Request
	c, _ := serve(t, Config{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Clone(context.WithoutCancel(r.Context())) }))
	_, err := do(t, c, readTraits, Request{Method: http.MethodGet, Path: []string{"V1", "a b?c#d%2e&é"}, Query: values("q", "a&b=c", "x[0]", "?")})
	require.NoError(t, err)
	assert.Equal(t, "/V1/a%20b%3Fc%23d%252e&%C3%A9", seen.URL.EscapedPath())
	assert.Equal(t, values("q", "a&b=c", "x[0]", "?"), seen.URL.Query())
}

func TestN14_SegmentsThatChangeThePathAreRefused(t *testing.T) {
	t.Parallel()
	for _, segment := range []string{"", ".", "..", "a/b", "/", `a\b`, "../x", "a\x00b", "a\nb", "\x7f"} {
		upstream := &script{steps: []step{{status: 200}}}
		_, err := do(t, over(t, Config{}, upstream), readTraits, get("V1", segment))
		require.ErrorIs(t, err, commerce.ErrInvalid, "%q", segment)
		assert.Empty(t, upstream.seen)
	}
}

func TestN14_BaseURLIsChecked(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"", "upstream", "//host", "ftp://host", "file:///etc/passwd", "http://", "http://:80", "https://user:secret@host",
		"http://host?q=secret", "http://host?", "http://host#secret", "http://host#", "http://host/a/../b", "http://ho st", "http://[::1",
	} {
		_, err := New("odoo", Config{BaseURL: bad}, nil, Deps{})
		require.ErrorContains(t, err, "BASE_URL", "%q", bad)
		assert.NotContains(t, err.Error(), "secret")
	}
	_, err := New("odoo", Config{BaseURL: "nope", Timeout: -1, AttemptTimeout: -1, MaxAttempts: 4, MaxBodyBytes: -1}, nil, Deps{})
	for _, what := range []string{"BASE_URL", "ATTEMPT_TIMEOUT", "\nTIMEOUT", "MAX_ATTEMPTS", "MAX_BODY_BYTES"} {
		require.ErrorContains(t, err, what)
	}
}

func TestN14_SpecialAddressesAreRefusedAtDialTime(t *testing.T) {
	t.Parallel()
	for _, inside := range []string{
		"127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "0.0.0.0", "0.1.2.3",
		"100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
	} {
		assert.False(t, public(netip.MustParseAddr(inside)), inside)
	}
	for _, outside := range []string{"1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"} {
		assert.True(t, public(netip.MustParseAddr(outside)), outside)
	}

	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	defer server.Close()
	// A name passes every check of text; what it resolves to does not.
	named := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	for _, base := range []string{server.URL, named} {
		c, err := New("odoo", Config{BaseURL: base}, nil, quiet())
		require.NoError(t, err)
		_, err = do(t, c, readTraits, get())
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		require.ErrorIs(t, err, errAddress)
	}
	assert.Zero(t, calls.Load())
}

func TestN15_HeadersByAllowList(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Cookie", "Host", "Connection", "Transfer-Encoding", "X-Forwarded-For", "X-Internal-User", "Authorization", "Idempotency-Key", "idempotency-key"} {
		upstream := &script{steps: []step{{status: 200}}}
		_, err := do(t, over(t, Config{}, upstream), readTraits, Request{Method: http.MethodGet, Header: http.Header{name: {"x"}}})
		require.Error(t, err, name)
		assert.Empty(t, upstream.seen)
	}
	var seen http.Header
	c, _ := serve(t, Config{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Clone() }))
	_, err := do(t, c, readTraits, Request{Method: http.MethodGet, Header: http.Header{"accept-language": {"fr"}}})
	require.NoError(t, err)
	assert.NotEmpty(t, seen.Get(timeoutHeader))
	seen.Del(timeoutHeader)
	assert.Equal(t, http.Header{
		"Accept": {"application/json"}, "Accept-Language": {"fr"}, "Accept-Encoding": {"gzip"}, "User-Agent": {userAgent},
	}, seen)
}

func answer(contentType, body string) *Response {
	return &Response{Status: 200, Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body)}
}

func TestN8_AnOperationMayDeclareItsOwnLimit(t *testing.T) {
	t.Parallel()
	c := over(t, Config{MaxBodyBytes: 100}, &script{steps: []step{{status: 200, body: strings.Repeat("x", 50)}, {status: 200, body: strings.Repeat("x", 150)}}})
	small := readTraits
	small.MaxBody = 49
	_, err := do(t, c, small, get())
	require.ErrorIs(t, err, commerce.ErrUpstream)
	large := readTraits
	large.MaxBody = 150
	_, err = do(t, c, large, get())
	require.NoError(t, err)
	_, err = do(t, c, readTraits, get())
	require.ErrorIs(t, err, commerce.ErrUpstream)
}
