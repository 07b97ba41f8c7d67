package transport

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// dialled is a client whose real pool gets its connections from dial.
func dialled(t testing.TB, cfg Config, dial func() net.Conn) *Client {
	t.Helper()
	cfg.BaseURL = orDefault(cfg.BaseURL, "http://upstream.example")
	cfg, base, err := cfg.checked()
	require.NoError(t, err)
	pool := newPool(cfg)
	pool.DialContext = func(context.Context, string, string) (net.Conn, error) { return dial(), nil }
	t.Cleanup(pool.CloseIdleConnections)
	c, err := newClient("odoo", cfg, nil, quiet().withDefaults(), wire{base: base, via: pool})
	require.NoError(t, err)
	return c
}

// A server that accepts and then says nothing holds a handshake for 2 s and no
// longer, however much time the attempt has.
func TestN7_ASilentTLSServerIsGivenUpAfterTwoSeconds(t *testing.T) {
	t.Parallel()
	for _, traits := range []commerce.Traits{readTraits, writeTraits} {
		synctest.Test(t, func(t *testing.T) {
			var silent sync.WaitGroup
			dials := 0
			c := dialled(t, Config{BaseURL: "https://upstream.example", AttemptTimeout: time.Minute, Timeout: time.Minute}, func() net.Conn {
				dials++
				ours, theirs := net.Pipe()
				silent.Go(func() { _, _ = io.Copy(io.Discard, theirs) })
				return ours
			})
			begun := time.Now()
			_, err := c.Do(t.Context(), traits, Request{Method: http.MethodPost, Body: []byte("{}")})
			require.ErrorIs(t, err, commerce.ErrUnavailable)
			require.NotErrorIs(t, err, commerce.ErrOutcomeUnknown, "nothing was sent")
			assert.Equal(t, 2*time.Second, time.Since(begun))
			assert.Equal(t, 1, dials, "not retried")
			silent.Wait()
		})
	}
}

// Answers that end calls badly without ending their connection leave it in the
// pool, whatever the kind of failure.
func TestN7_NoKindOfRefusedAnswerCostsAConnection(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "/encoding":
			w.Header().Set("Content-Encoding", "br")
		case "/limited":
			w.WriteHeader(http.StatusTooManyRequests)
		case "/missing":
			w.WriteHeader(http.StatusNotFound)
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
	c, err := New("odoo", patient(Config{BaseURL: server.URL, MaxAttempts: 1, NoHedge: true}), nil, quiet())
	require.NoError(t, err)
	for i := range 200 {
		for _, path := range []string{"good", "redirect", "encoding", "limited", "missing"} {
			traits := readTraits
			traits.Operation = commerce.Operation(path + string(rune('a'+i/10))) // no breaker sees enough to open
			_, _ = do(t, c, traits, get(path))
		}
	}
	assert.LessOrEqual(t, opened.Load(), int64(4))
}

// A connection that was dialled is used for as long as it lives: a steady load of
// thousands of calls needs no more than its callers do at a time, and those of the few
// calls that are made twice.
func TestN7_ASteadyLoadKeepsItsConnections(t *testing.T) {
	t.Parallel()
	const callers, calls = 16, 250
	for name, takes := range map[string]time.Duration{"at once": 0, "in two milliseconds": 2 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var opened, seen atomic.Int64
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen.Add(1)
				select {
				case <-time.After(takes):
				case <-r.Context().Done():
				}
				_, _ = io.WriteString(w, "{}")
			}))
			server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					opened.Add(1)
				}
			}
			server.Start()
			t.Cleanup(server.Close)
			c, err := New("odoo", patient(Config{BaseURL: server.URL}), nil, quiet())
			require.NoError(t, err)
			var all sync.WaitGroup
			for range callers {
				all.Go(func() {
					for range calls {
						_, err := do(t, c, readTraits, get("x"))
						assert.NoError(t, err)
					}
				})
			}
			all.Wait()
			twice := seen.Load() - callers*calls
			t.Logf("%d connections, %d calls were made twice", opened.Load(), twice)
			// While one is being dialled another may become free: then both are kept. A call
			// that is made twice takes one more and costs one. And net/http may have a connection
			// back only after its caller went on.
			assert.LessOrEqual(t, opened.Load()-2*twice, int64(3*callers))
		})
	}
}

// canned is an upstream that answers every request of a connection with the
// same bytes, from write, and allocates next to nothing for that.
func canned(t testing.TB, cfg Config, write func(io.Writer) error) *Client {
	t.Helper()
	var served sync.WaitGroup
	t.Cleanup(served.Wait)
	return dialled(t, cfg, func() net.Conn {
		ours, theirs := net.Pipe()
		served.Go(func() {
			defer func() { _ = theirs.Close() }()
			in := bufio.NewReader(theirs)
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, req.Body); err == nil {
				_ = write(theirs)
			}
		})
		return ours
	})
}

func TestN14_TheAddressIsCheckedForEveryConnection(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	base, err := url.Parse(server.URL)
	require.NoError(t, err)
	for _, host := range []string{base.Host, "localhost:" + base.Port(), "[::ffff:127.0.0.1]:" + base.Port(), "0.0.0.0:" + base.Port()} {
		pool := newPool(Config{})
		conn, err := pool.DialContext(t.Context(), "tcp", host)
		require.ErrorIs(t, err, errAddress, host)
		assert.Nil(t, conn)
	}
	assert.Nil(t, newPool(Config{}).DialTLSContext, "TLS goes through the checked dial too")
	assert.Nil(t, newPool(Config{}).Proxy, "a proxy would dial for us")
}
