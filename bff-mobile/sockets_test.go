package bffmobile

import (
	"bufio"
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/semver"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

// serve starts the channel on a socket of its own; stop waits until it has ended.
func (s *shop) serve(t *testing.T) (addr string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.app.Serve(ctx) }()
	select {
	case <-s.app.Ready():
	case err := <-ended:
		require.NoError(t, err)
	}
	var once sync.Once
	var err error
	stop = func() error {
		once.Do(func() {
			cancel()
			err = <-ended
		})
		return err
	}
	t.Cleanup(func() { require.NoError(t, stop()) })
	return s.app.Addr(), stop
}

// raw sends bytes and reads all that comes back until the server closes.
func raw(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	got, err := io.ReadAll(conn)
	require.NoError(t, err, "the server did not close: %q", got)
	return string(got)
}

func TestM1_Versions(t *testing.T) {
	t.Parallel()
	// A test's own binary does not say what it was built from; the channel's does.
	bin := filepath.Join(t.TempDir(), "bff-mobile")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./cmd/bff-mobile").CombinedOutput()
	require.NoError(t, err, "%s", out)
	info, err := buildinfo.ReadFile(bin)
	require.NoError(t, err)
	floors := map[string]string{"github.com/gofiber/fiber/v2": "v2.52.15", "github.com/valyala/fasthttp": "v1.74.0"}
	for _, module := range info.Deps {
		if floor, ok := floors[module.Path]; ok {
			require.GreaterOrEqual(t, semver.Compare(module.Version, floor), 0, "%s %s", module.Path, module.Version)
			delete(floors, module.Path)
		}
	}
	require.Empty(t, floors, "not in the build")
}

// malformed requests: what proxies and servers read differently.
func malformed() map[string]string {
	const (
		host  = "Host: portico.test\r\n"
		smug  = "GET /v1/screens/home HTTP/1.1\r\nHost: smuggled\r\n\r\n"
		json  = "Content-Type: application/json\r\nIdempotency-Key: " + longKey + "\r\n"
		carts = "POST /v1/carts HTTP/1.1\r\n" + host + json
		home  = "GET /v1/screens/home HTTP/1.1\r\n"
	)
	return map[string]string{
		"CL and TE":                   carts + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smug,
		"TE and CL":                   carts + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smug,
		"CL and TE in another case":   carts + "content-length: 5\r\ntransfer-ENCODING: chunked\r\n\r\n0\r\n\r\n" + smug,
		"CL 0 and TE":                 carts + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smug,
		"TE xchunked":                 carts + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smug,
		"TE identity":                 carts + "Transfer-Encoding: identity\r\n\r\n" + smug,
		"TE gzip, chunked":            carts + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + smug,
		"TE chunked, identity":        carts + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + smug,
		"TE twice":                    carts + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smug,
		"TE twice, one odd":           carts + "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n" + smug,
		"TE with a space":             carts + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + smug,
		"TE with a vertical tab":      carts + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + smug,
		"TE in HTTP/1.0":              "POST /v1/carts HTTP/1.0\r\n" + host + json + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smug,
		"CL twice, different":         carts + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} " + smug,
		"CL twice, alike":             carts + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + smug,
		"CL as a list":                carts + "Content-Length: 2, 2\r\n\r\n{}" + smug,
		"CL with a plus":              carts + "Content-Length: +2\r\n\r\n{}" + smug,
		"CL negative":                 carts + "Content-Length: -2\r\n\r\n{}" + smug,
		"CL hexadecimal":              carts + "Content-Length: 0x2\r\n\r\n{}" + smug,
		"CL word":                     carts + "Content-Length: two\r\n\r\n{}" + smug,
		"CL empty":                    carts + "Content-Length: \r\n\r\n{}" + smug,
		"CL beyond 64 bits":           carts + "Content-Length: 18446744073709551618\r\n\r\n{}" + smug,
		"CL with a space":             carts + "Content-Length : 2\r\n\r\n{}" + smug,
		"chunk size odd":              carts + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n" + smug,
		"chunk size negative":         carts + "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n" + smug,
		"chunk size with 0x":          carts + "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n" + smug,
		"chunk size beyond":           carts + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n" + smug,
		"chunk ends early":            carts + "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n" + smug,
		"chunk extension with LF":     carts + "Transfer-Encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n" + smug,
		"chunk with a bare LF":        carts + "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n" + smug,
		"no host":                     home + "\r\n",
		"two hosts":                   home + host + "Host: other\r\n\r\n",
		"two hosts, alike":            home + host + host + "\r\n",
		"host with a path":            home + "Host: a/b\r\n\r\n",
		"space in a name":             home + host + "X A: 1\r\n\r\n",
		"tab in a name":               home + host + "X\tA: 1\r\n\r\n",
		"empty name":                  home + host + ": 1\r\n\r\n",
		"no colon":                    home + host + "Nonsense\r\n\r\n",
		"NUL in a value":              home + host + "X-A: a\x00b\r\n\r\n",
		"NUL in a name":               home + host + "X\x00A: 1\r\n\r\n",
		"CR in a value":               home + host + "X-A: a\rb\r\n\r\n",
		"parenthesis in a name":       home + host + "X(A): 1\r\n\r\n",
		"high byte in a name":         home + host + "X\xc3\xa9: 1\r\n\r\n",
		"folded line":                 home + host + "X-A: a\r\n b\r\n\r\n",
		"first line folded":           home + " X: y\r\n" + host + "\r\n",
		"no version":                  "GET /v1/screens/home\r\n" + host + "\r\n",
		"version word":                "GET /v1/screens/home HTTP/one\r\n" + host + "\r\n",
		"version 9":                   "GET /v1/screens/home HTTP/9.9\r\n" + host + "\r\n",
		"no method":                   " /v1/screens/home HTTP/1.1\r\n" + host + "\r\n",
		"method with odd letters":     "GE\x01T /v1/screens/home HTTP/1.1\r\n" + host + "\r\n",
		"space in the target":         "GET /v1/screens/ home HTTP/1.1\r\n" + host + "\r\n",
		"two authorizations":          home + host + "Authorization: Bearer C1\r\nAuthorization: Bearer C2\r\n\r\n",
		"two keys":                    carts + "Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: 2\r\n\r\n{}",
		"two content types":           carts + json + "Content-Length: 2\r\n\r\n{}",
		"header too large":            home + host + "X-A: " + strings.Repeat("a", 20<<10) + "\r\n\r\n",
		"target too large":            "GET /" + strings.Repeat("a", 20<<10) + " HTTP/1.1\r\n" + host + "\r\n",
		"body too large":              carts + "Content-Length: 65537\r\n\r\n",
		"chunked body too large":      carts + "Transfer-Encoding: chunked\r\n\r\n10001\r\n" + strings.Repeat("a", 0x10001) + "\r\n0\r\n\r\n" + smug,
		"TLS on a plain port":         "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"HTTP/2 without being asked":  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"only line ends, then no one": "\r\n\r\n\r\n\r\nx\r\n\r\n",
		"HTTP/0.9":                    "GET /v1/screens/home\r\n\r\n",
		"version 1.2":                 "GET /v1/screens/home HTTP/1.2\r\n" + host + "\r\n",
		"version 3":                   "GET /v1/screens/home HTTP/3.0\r\n" + host + "\r\n",
		"version in lower case":       "GET /v1/screens/home http/1.1\r\n" + host + "\r\n",
		"two spaces":                  "GET  /v1/screens/home HTTP/1.1\r\n" + host + "\r\n",
		"tabs for spaces":             "GET\t/v1/screens/home\tHTTP/1.1\r\n" + host + "\r\n",
		"space behind the version":    "GET /v1/screens/home HTTP/1.1 \r\n" + host + "\r\n",
		"method in lower case":        "get /v1/screens/home HTTP/1.1\r\n" + host + "\r\n",
		"method nobody knows":         "BREW /v1/screens/home HTTP/1.1\r\n" + host + "\r\n" + smug,
		"CONNECT":                     "CONNECT portico.test:80 HTTP/1.1\r\n" + host + "\r\n" + smug,
		"CONNECT with a path":         "CONNECT /v1/screens/home HTTP/1.1\r\n" + host + "\r\n" + smug,
		"TRACE":                       "TRACE /v1/screens/home HTTP/1.1\r\n" + host + "\r\n" + smug,
		"target is an authority":      "GET portico.test:80 HTTP/1.1\r\n" + host + "\r\n" + smug,
		"target is a star":            "GET * HTTP/1.1\r\n" + host + "\r\n" + smug,
		"target of another host":      "GET http://other.test/v1/screens/home HTTP/1.1\r\n" + host + "\r\n" + smug,
		"target with a user":          "GET http://a:b@portico.test/v1/screens/home HTTP/1.1\r\n" + host + "\r\n" + smug,
		"target of another scheme":    "GET ftp://portico.test/v1/screens/home HTTP/1.1\r\n" + host + "\r\n" + smug,
		"target without authority":    "GET http:///v1/screens/home HTTP/1.1\r\n" + host + "\r\n" + smug,
		"target with a fragment":      "GET /v1/screens/home#x HTTP/1.1\r\n" + host + "\r\n" + smug,
		"target with NUL":             "GET /v1/screens/home\x00 HTTP/1.1\r\n" + host + "\r\n" + smug,
		"host empty":                  home + "Host: \r\n\r\n" + smug,
		"host with a user":            home + "Host: a@portico.test\r\n\r\n" + smug,
		"host is a list":              home + "Host: a.test,b.test\r\n\r\n" + smug,
		"host with a space":           home + "Host: a b\r\n\r\n" + smug,
		"host with markup":            home + "Host: \"<a>\"\r\n\r\n" + smug,
		"host with an odd port":       home + "Host: portico.test:8x\r\n\r\n" + smug,
		"host folded":                 home + "Host:\r\n portico.test\r\n\r\n" + smug,
		"line ended by LF":            home + "Host: portico.test\nX-A: b\r\n\r\n" + smug,
		"header ended by LF":          home + host + "\n" + smug,
		"DEL in a value":              home + host + "X-A: a\x7fb\r\n\r\n",
		"CL folded":                   carts + "Content-Length:\r\n 2\r\n\r\n{}" + smug,
		"CL fraction":                 carts + "Content-Length: 2.0\r\n\r\n{}" + smug,
		"CL of 63 bits":               carts + "Content-Length: 9223372036854775807\r\n\r\n{}" + smug,
		"TE folded":                   carts + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + smug,
		"TE with a parameter":         carts + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n" + smug,
		"TE quoted":                   carts + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" + smug,
		"TE empty":                    carts + "Transfer-Encoding: \r\n\r\n0\r\n\r\n" + smug,
		"chunk size plus":             carts + "Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n" + smug,
		"chunk size empty":            carts + "Transfer-Encoding: chunked\r\n\r\n\r\n{}\r\n0\r\n\r\n" + smug,
		"chunk size with underscore":  carts + "Transfer-Encoding: chunked\r\n\r\n0_2\r\n{}\r\n0\r\n\r\n" + smug,
		"chunk longer than it says":   carts + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX\r\n0\r\n\r\n" + smug,
		"chunk data ended by LF":      carts + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n" + smug,
		"trailer ends the body again": carts + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nContent-Length: 4\r\n\r\n" + smug,
		"trailer signs in":            carts + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: Bearer C1\r\n\r\n" + smug,
		"trailer names a key":         carts + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nIdempotency-Key: 0123456789abcdef0123456789abcdef\r\n\r\n" + smug,
		"trailer names another key":   carts + "Idempotency-Key: 0123456789abcdef0123456789abcdef\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nIdempotency-Key: fedcba9876543210fedcba9876543210\r\n\r\n" + smug,
		"trailer chooses the channel": carts + "Trailer: X-Channel\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Channel: eu\r\n\r\n" + smug,
	}
}

func TestM2_MalformedRequestsEndTheirConnection(t *testing.T) {
	t.Parallel()
	s := open(t)
	addr, _ := s.serve(t)
	corpus := malformed()
	require.GreaterOrEqual(t, len(corpus), 40)
	for name, request := range corpus {
		t.Run(name, func(t *testing.T) {
			got := raw(t, addr, request)
			require.Equal(t, 1, strings.Count(got, "HTTP/1."), "exactly one answer: %q", got)
			res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(got)), nil)
			require.NoError(t, err, "%q", got)
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.True(t, res.StatusCode >= 400 && res.StatusCode < 500, "%q", got)
			require.True(t, res.Close, "says that it closes: %q", got)
			require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
			require.Empty(t, res.Header.Get("Server"))
			require.True(t, json.Valid(body), "%q", body)
		})
	}
	require.Zero(t, s.TotalCalls())
}

// A client that sends far too much still reads why it was refused.
func TestM4_ALargeBodyIsAProblem(t *testing.T) {
	t.Parallel()
	s := open(t)
	addr, _ := s.serve(t)
	for _, size := range []int{64<<10 + 1, 1 << 20, 3 << 20} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/v1/carts", bytes.NewReader(make([]byte, size)))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
		require.Contains(t, string(body), "/problems/too-large")
	}
	require.Zero(t, s.TotalCalls())
}

func TestW13_AChunkedBodyIsAnsweredThenClosed(t *testing.T) {
	t.Parallel()
	s := open(t)
	addr, _ := s.serve(t)
	got := raw(t, addr, "POST /v1/carts HTTP/1.1\r\nHost: portico.test\r\nIdempotency-Key: "+longKey+"\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"+
		"GET /v1/screens/home HTTP/1.1\r\nHost: portico.test\r\n\r\n")
	require.True(t, strings.HasPrefix(got, "HTTP/1.1 201 "), "%q", got)
	require.Equal(t, 1, strings.Count(got, "HTTP/1."), "%q", got)
	require.Contains(t, got, "Connection: close")
}

// Strings that a handler keeps are still what was sent when their request is long over.
func TestM3_KeptStringsStayWhatTheyWere(t *testing.T) {
	t.Parallel()
	const clients, each = 20, 500
	s := openLate(t, 0)
	require.True(t, s.app.server.Config().Immutable)
	var mu sync.Mutex
	kept := map[string][]string{}
	s.app.server.Get("/keep/:sku", func(c *fiber.Ctx) error {
		sku, err := commerce.ParseSKU("sku", c.Params("sku"))
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		kept[c.Get("X-Who")] = []string{string(sku), c.Params("sku"), c.Query("q"), c.Get("X-Request-Id"), c.Path()}
		return c.SendString(string(sku))
	})
	addr, _ := s.serve(t)
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	var wg sync.WaitGroup
	failures := make(chan error, clients)
	for client := range clients {
		wg.Go(func() {
			for i := range each {
				if err := keep(t.Context(), transport, addr, fmt.Sprintf("%02d-%04d", client, i)); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(failures)
	require.NoError(t, <-failures)
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, kept, clients*each)
	for who, got := range kept {
		require.Equal(t, []string{"SKU-" + who, "SKU-" + who, "q" + who, "id-" + who, "/keep/SKU-" + who}, got)
	}
}

func keep(ctx context.Context, transport http.RoundTripper, addr, who string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/keep/SKU-"+who+"?q=q"+who, nil)
	if err != nil {
		return err
	}
	req.Header.Set("X-Who", who)
	req.Header.Set("X-Request-Id", "id-"+who)
	res, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

// A client that left costs no more than the request's time.
func TestM5_AbandonedRequestsEnd(t *testing.T) {
	t.Parallel()
	const clients, limit = 50, time.Second
	s := open(t, func(b *edge.Backend) { b.Config.Limits.RequestTimeout = limit })
	addr, _ := s.serve(t)
	var entered, left atomic.Int64
	s.Hold(commerce.OpSearch, func(ctx context.Context) {
		entered.Add(1)
		end, ok := ctx.Deadline()
		assert.True(t, ok)
		assert.LessOrEqual(t, time.Until(end), limit)
		<-ctx.Done()
		left.Add(1)
	})
	var answered sync.WaitGroup
	for range clients {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, err = io.WriteString(conn, "GET /v1/screens/search HTTP/1.1\r\nHost: portico.test\r\n\r\n")
		require.NoError(t, err)
		answered.Go(func() { _, err := conn.Read(make([]byte, 1)); assert.NoError(t, err) })
	}
	answered.Wait()
	require.Positive(t, entered.Load())
	require.Eventually(t, func() bool { return entered.Load() == left.Load() }, 30*time.Second, time.Millisecond)
}

func TestM11_StopFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	const clients = 50
	s := openLate(t, 0, func(b *edge.Backend) { b.Config.Limits.RequestTimeout = time.Minute })
	addr, stop := s.serve(t)
	inside, leave := make(chan struct{}, clients), make(chan struct{})
	s.Hold(commerce.OpSearch, func(context.Context) { inside <- struct{}{}; <-leave })
	answers := make(chan string, clients)
	for range clients {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		require.NoError(t, err)
		_, err = io.WriteString(conn, "GET /v1/screens/search HTTP/1.1\r\nHost: portico.test\r\n\r\n")
		require.NoError(t, err)
		go func() {
			defer func() { _ = conn.Close() }()
			got, _ := io.ReadAll(conn)
			answers <- string(got)
		}()
	}
	for range clients {
		select {
		case <-inside:
		case early := <-answers:
			require.Fail(t, "one is not in flight", early)
		}
	}
	require.Equal(t, http.StatusOK, readiness(t, s))
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", addr)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, 30*time.Second, time.Millisecond, "new connections are refused")
	require.Equal(t, http.StatusServiceUnavailable, readiness(t, s))
	close(leave)
	for range clients {
		require.True(t, strings.HasPrefix(<-answers, "HTTP/1.1 200 "))
	}
	require.NoError(t, <-stopped)
}

// readiness asks the operators' handler itself: its listener may be closing.
func readiness(t *testing.T, s *shop) int {
	t.Helper()
	w := &statusWriter{header: http.Header{}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://admin/readyz", nil)
	require.NoError(t, err)
	s.app.Backend().Admin().ServeHTTP(w, r)
	return w.status
}

type statusWriter struct {
	header http.Header
	status int
}

func (w *statusWriter) Header() http.Header         { return w.header }
func (w *statusWriter) WriteHeader(status int)      { w.status = status }
func (w *statusWriter) Write(p []byte) (int, error) { return len(p), nil }
