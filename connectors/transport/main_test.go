package transport

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestMain(m *testing.M) {
	if os.Getenv(upstreamProcess) != "" {
		beUpstream()
		return
	}
	goleak.VerifyTestMain(m)
}

var (
	readTraits  = commerce.Traits{System: "odoo", Operation: commerce.OpAvailability, Access: commerce.Read}
	writeTraits = commerce.Traits{System: "magento", Operation: commerce.OpPlace, Access: commerce.Write}
)

// quiet keeps test output free of the warnings that failing calls write.
func quiet() Deps { return Deps{Log: slog.New(slog.DiscardHandler)} }

// over is a client whose attempts go to an upstream in memory.
func over(t testing.TB, cfg Config, via http.RoundTripper) *Client {
	t.Helper()
	cfg.BaseURL = orDefault(cfg.BaseURL, "https://upstream.example/api")
	cfg, base, err := cfg.checked()
	require.NoError(t, err)
	c, err := newClient("odoo", cfg, nil, quiet().withDefaults(), wire{base: base, via: via})
	require.NoError(t, err)
	return c
}

// serve is a client of a real server on loopback.
func serve(t testing.TB, cfg Config, h http.Handler) (*Client, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	cfg.BaseURL = server.URL
	c, err := New("odoo", patient(cfg), nil, quiet())
	require.NoError(t, err)
	return c, server
}

// patient is cfg for a real server on loopback: a busy machine is not a slow upstream.
func patient(cfg Config) Config {
	cfg.AllowPrivate = true
	cfg.AttemptTimeout, cfg.Timeout = orDefault(cfg.AttemptTimeout, time.Minute), orDefault(cfg.Timeout, time.Minute)
	return cfg
}

// script answers attempts one after the other; the last answer repeats.
type script struct {
	steps []step
	seen  []time.Time
	body  []string
}

type step struct {
	status int
	header http.Header
	body   string
	err    error
	takes  time.Duration
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	at := s.steps[min(len(s.seen), len(s.steps)-1)]
	s.seen = append(s.seen, time.Now())
	sent := ""
	if req.Body != nil {
		data, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		sent = string(data)
	}
	s.body = append(s.body, sent)
	if at.takes > 0 {
		select {
		case <-time.After(at.takes):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	if at.err != nil {
		return nil, at.err
	}
	header := at.header
	if header == nil {
		header = http.Header{"Content-Type": {"application/json"}}
	}
	return &http.Response{StatusCode: at.status, Header: header, Body: io.NopCloser(strings.NewReader(at.body)), Request: req}, nil
}

func get(path ...string) Request { return Request{Method: http.MethodGet, Path: path} }

func post(body string, path ...string) Request {
	return Request{Method: http.MethodPost, Path: path, Body: []byte(body), Header: http.Header{"Content-Type": {"application/json"}}}
}

func values(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return q
}

func callError(t testing.TB, err error) *commerce.CallError {
	t.Helper()
	var call *commerce.CallError
	require.ErrorAs(t, err, &call)
	return call
}

func do(t testing.TB, c *Client, traits commerce.Traits, r Request) (*Response, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return c.Do(ctx, traits, r)
}
