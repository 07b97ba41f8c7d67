package bffweb

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/edge/recent"
	"github.com/portico-bff/portico/edge/telemetry"
	"github.com/portico-bff/portico/schema/commercetest"
)

// discarded is an answer that goes nowhere: what is measured is the chain, not net/http.
type discarded struct {
	header http.Header
	status int
	bytes  int
}

func (d *discarded) Header() http.Header { return d.header }

func (d *discarded) WriteHeader(status int) { d.status = status }

func (d *discarded) Write(p []byte) (int, error) {
	d.bytes += len(p)
	return len(p), nil
}

// rewound is a body that can be read again.
type rewound struct{ bytes.Reader }

func (*rewound) Close() error { return nil }

const chainNothing = `query Nothing { __typename }`

// chain is the whole stack as it is in production, over ports in memory: documents by
// their ids, answers kept, requests limited, the log written to nothing.
func chain(b *testing.B) http.Handler {
	b.Helper()
	dir := b.TempDir()
	build(b, dir, "shop", "1", chainNothing, trustedPage)
	s := opened(b, documents.Config{Dir: dir, Poll: time.Hour}, func(e *edge.Backend) {
		var err error
		e.Telemetry, err = telemetry.New(telemetry.Config{Out: io.Discard, Requests: recent.New(recent.Config{Slow: time.Second, Bytes: 1 << 20})}, "web")
		require.NoError(b, err)
		e.Log = e.Telemetry.Log()
		e.RateLimit, err = ratelimit.New(ratelimit.Config{Customer: 1 << 30, Address: 1 << 30, Exempt: []string{"127.0.0.0/8"}}, ratelimit.Deps{Log: e.Log})
		require.NoError(b, err)
		e.Registry = nil
		cfg := cache.Config{AnswerBytes: 4 << 20, SurrogateKeyBytes: 3 << 10}
		c, err := cache.New(cfg, cache.Deps{Log: e.Log})
		require.NoError(b, err)
		e.Ports = c.Wrap(commercetest.NewShop().Ports())
		e.Answers, err = cache.NewAnswers(c, cfg, "web", e.Telemetry.Meter())
		require.NoError(b, err)
		b.Cleanup(func() {
			e.Answers.Close()
			require.NoError(b, c.Close())
		})
	})
	return s.handler
}

// BenchmarkChain is what a request costs from the router to its last byte, without
// net/http's own work: one that reads nothing, and one whose answer is kept.
func BenchmarkChain(b *testing.B) {
	h := chain(b)
	for name, text := range map[string]string{
		"nothing": `{"documentId":"` + idOf(chainNothing) + `"}`,
		"warm":    `{"documentId":"` + idOf(trustedPage) + `","variables":{"sku":"MUG-RED"}}`,
	} {
		for kind, language := range map[string]string{"": "", " from a browser": "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7"} {
			b.Run(name+kind, func(b *testing.B) { serveChain(b, h, []byte(text), language) })
		}
	}
}

func serveChain(b *testing.B, h http.Handler, text []byte, language string) {
	b.Helper()
	body := &rewound{}
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "http://portico.test/graphql", body)
	r.ContentLength = int64(len(text))
	r.Header.Set("Content-Type", "application/json")
	if language != "" {
		r.Header.Set("Accept-Language", language)
		r.Header.Set("Accept", "application/graphql-response+json, application/json;q=0.9")
	}
	w := &discarded{}
	b.ReportAllocs()
	for b.Loop() {
		body.Reset(text)
		r.Body = body
		w.header = make(http.Header)
		h.ServeHTTP(w, r)
	}
	require.Equal(b, http.StatusOK, w.status)
}
