package transport

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// tally counts executions by the path that was called.
type tally struct {
	mu   sync.Mutex
	runs map[string]int
}

func (y *tally) add(path string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.runs[path]++
}

func (y *tally) most() (path string, n int) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for p, runs := range y.runs {
		if runs > n {
			path, n = p, runs
		}
	}
	return path, n
}

func (y *tally) of(path string) int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.runs[path]
}

func (y *tally) total() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return len(y.runs)
}

// The moments at which a connection is cut.
const (
	cutNever  = iota
	cutBefore // when the request has come, and nothing of it was read
	cutDuring // in the middle of it
	cutAfter  // when it was executed, before the answer
	cutAnswer // in the middle of the answer
)

// scissors is an upstream that executes every request it reads whole, counts that,
// and cuts the connection at the moment that is planned.
type scissors struct {
	*tally
	plan    atomic.Int32
	variant atomic.Bool // of a moment: early or late in the request; connection or stream
}

// cutConn reads for the upstream until the planned moment.
type cutConn struct {
	net.Conn
	by *scissors
}

func (c *cutConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		return n, err
	}
	switch moment := c.by.plan.Load(); {
	case moment == cutBefore:
		n = 0
	case moment == cutDuring && c.by.variant.Load():
		n--
	case moment == cutDuring:
		n /= 2
	default:
		return n, nil
	}
	_ = c.Close()
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

type connKey struct{}

func (s *scissors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	conn, ok := r.Context().Value(connKey{}).(net.Conn)
	moment := s.plan.Load()
	if moment == cutNever || !ok {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
		return
	}
	s.add(r.URL.Path)
	if moment == cutAnswer {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "{")
		_ = http.NewResponseController(w).Flush()
	}
	if s.variant.Load() {
		_ = conn.Close()
	}
	panic(http.ErrAbortHandler) // over HTTP/2 this resets the stream and keeps the connection
}

// cutListener hands out connections that are cut. It speaks TLS itself, so that over
// HTTP/2 too the cut is between two bytes of the protocol.
type cutListener struct {
	net.Listener
	by  *scissors
	tls *tls.Config // nil: HTTP/1.1 without TLS
}

func (l *cutListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if l.tls != nil {
		conn = tls.Server(conn, l.tls)
	}
	return &cutConn{Conn: conn, by: l.by}, nil
}

// client serves s on loopback over HTTP/1.1 or HTTP/2 and makes a client of it.
func (s *scissors) client(t *testing.T, h2 bool, sign func(*http.Request) error) (*Client, *http.Transport) {
	t.Helper()
	tcp, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	pool, base := newPool(Config{AllowPrivate: true}), "http://"+tcp.Addr().String()
	listener, protocols := &cutListener{Listener: tcp, by: s}, &http.Protocols{}
	protocols.SetHTTP1(!h2)
	protocols.SetUnencryptedHTTP2(h2) // the listener has decrypted it
	if h2 {
		base = "https://" + tcp.Addr().String()
		listener.tls, pool.TLSClientConfig = certified(t)
	}
	server := &http.Server{
		Handler: s, Protocols: protocols, ReadHeaderTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, conn)
		},
	}
	// Close waits for nobody, and over HTTP/2 a connection may be served for a second
	// longer: the upstream is gone when the last of them is.
	var served sync.WaitGroup
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			served.Add(1)
		case http.StateClosed:
			served.Done()
		default:
		}
	}
	served.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		pool.CloseIdleConnections()
		_ = server.Close()
		served.Wait()
	})
	parsed, err := url.Parse(base)
	require.NoError(t, err)
	cfg, _, err := patient(Config{BaseURL: base}).checked()
	require.NoError(t, err)
	c, err := newClient("magento", cfg, sign, quiet().withDefaults(), wire{base: parsed, via: pool})
	require.NoError(t, err)
	return c, pool
}

// certified makes both ends of a TLS connection on loopback.
func certified(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	server = &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"}, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	return server, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
}

// trials are all combinations of a Write and a cut.
const trials = 4 * 2 * 2 * 2 * 4

// try sends one Write: every combination of moment, kept-alive or fresh connection,
// body, variant and method has its number.
func (s *scissors) try(t *testing.T, c *Client, pool *http.Transport, i int) {
	t.Helper()
	moment := int32(cutBefore + i%4)
	kept, hasBody, variant := i/4%2 == 0, i/8%2 == 0, i/16%2 == 0
	method := []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}[i/32%4]
	s.plan.Store(cutNever)
	pool.CloseIdleConnections()
	if kept {
		_, err := do(t, c, readTraits, Request{Method: http.MethodPost, Path: []string{"warm"}})
		require.NoError(t, err)
	}
	var body []byte
	if hasBody {
		body = bytes.Repeat([]byte("x"), 64)
	}
	s.variant.Store(variant)
	s.plan.Store(moment)
	// Each has an operation of its own: one that always fails is not tried at all.
	traits := writeTraits
	traits.Operation = commerce.Operation(fmt.Sprint("trial.", i))
	_, err := do(t, c, traits, Request{Method: method, Path: []string{"order", fmt.Sprint(i)}, Body: body})
	require.ErrorIs(t, err, commerce.ErrOutcomeUnknown, "trial %d", i)
	runs := s.of("/order/" + fmt.Sprint(i))
	if moment == cutAfter || moment == cutAnswer {
		require.Equal(t, 1, runs, "trial %d: cut after it was executed", i)
	} else {
		require.Zero(t, runs, "trial %d: cut before all of it had come", i)
	}
}

// Over HTTP/2 every trial is a TLS handshake or two.
var h2Rounds = flag.Int("n1-rounds", 5, "how often TestN1_WritesReachTheWireAtMostOnce tries every combination over HTTP/2; 20 make 10,240 trials in all")

// Writes over real sockets, each cut: none is executed twice.
func TestN1_WritesReachTheWireAtMostOnce(t *testing.T) {
	t.Parallel()
	for name, sign := range map[string]func(*http.Request) error{"with idempotency headers": insistent, "without": nil} {
		for protocol, h2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
			t.Run(protocol+" "+name, func(t *testing.T) {
				t.Parallel()
				rounds := 20
				if h2 {
					rounds = *h2Rounds
				}
				s := &scissors{tally: &tally{runs: map[string]int{}}}
				c, pool := s.client(t, h2, sign)
				for i := range rounds * trials {
					s.try(t, c, pool, i)
				}
				path, most := s.most()
				assert.Equal(t, 1, most, path)
				assert.Equal(t, rounds*trials/2, s.total(), "half the cuts come after the upstream has executed")
			})
		}
	}
}

// A pool full of connections that all die is one lost attempt, not one for each:
// net/http would try a GET on the next one, and the next, unseen.
func TestN3_DyingConnectionsAreNotAttempts(t *testing.T) {
	t.Parallel()
	const kept = 8
	var (
		together sync.WaitGroup
		seen     atomic.Int32
	)
	together.Add(kept)
	c, _ := serve(t, Config{}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/warm" {
			together.Done()
			together.Wait()
			_, _ = io.WriteString(w, "{}")
			return
		}
		seen.Add(1)
		panic(http.ErrAbortHandler)
	}))
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		var calls sync.WaitGroup
		for range kept {
			calls.Go(func() { _, _ = do(t, c, readTraits, get("warm")) })
		}
		calls.Wait()
		together.Add(kept)
		seen.Store(0)

		_, err := do(t, c, readTraits, Request{Method: method, Path: []string{"cut"}})
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		assert.EqualValues(t, 3, seen.Load(), "%s attempts at the upstream", method)
	}
}
