package bffweb

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/bff-web/internal/graphhttp"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/schema/commerce"
)

// warm is a shop of trusted documents whose answers are kept and whose callers have budgets.
type warm struct {
	*shop
	backend *edge.Backend
	dir     string // of its documents
	blanks  string // behind each body
}

const warmSecret = commerce.Secret("ssssssssssssssssssssssssssssssss")

// newWarm opens one; blanks behind its bodies make them so long that they go the whole way.
func newWarm(t *testing.T, blanks string, budget int) *warm {
	t.Helper()
	w := &warm{blanks: blanks}
	w.dir = t.TempDir()
	build(t, w.dir, "shop", "1", trustedPage)
	w.shop, _ = keepingOf(t, documents.Config{Dir: w.dir, Poll: time.Second}, func(b *edge.Backend) {
		w.backend = b
		var err error
		b.RateLimit, err = ratelimit.New(ratelimit.Config{Address: budget, Customer: 6_000}, ratelimit.Deps{Log: b.Log})
		require.NoError(t, err)
	})
	w.handler = routes(stack{Backend: w.backend, verifier: w.sessions, published: w.documents, desk: w.desk}, Config{Config: w.backend.Config, Trace: Trace{Secret: warmSecret}})
	return w
}

// request is one that is sent to a warm shop.
type request struct {
	name    string
	quick   bool // it is answered before it goes the whole way, once its answer is kept
	method  string
	target  string
	peer    string
	body    string
	length  int // is added to the length that is announced
	headers []header
}

func (w *warm) send(t *testing.T, q request) answer {
	t.Helper()
	body := q.body + w.blanks
	var from io.Reader = strings.NewReader(body)
	if q.length > 0 {
		from = io.MultiReader(from, iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	r := httptest.NewRequestWithContext(t.Context(), q.method, "http://portico.test"+q.target, from)
	r.ContentLength = int64(len(body) + q.length)
	r.RemoteAddr = q.peer
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(requestid.Header, "the-same")
	for _, h := range q.headers {
		r.Header[h[0]] = append(r.Header[h[0]], h[1])
		if h[0] == "Content-Type" {
			r.Header[h[0]] = []string{h[1]}
		}
	}
	a := w.shop.send(t, r)
	if strings.HasPrefix(a.Header.Get("Cache-Control"), "public") {
		a.Header.Set("Cache-Control", "public") // two answers that are kept do not last equally long
	}
	return a
}

var times = regexp.MustCompile(`"(time|durationMs)":("[^"]*"|[0-9.e-]+),`)

// lines are what was logged since, without times.
func (w *warm) lines(since int) string { return times.ReplaceAllString(w.log.String()[since:], "") }

// counts are the metrics that count something, but for those of the process.
func (w *warm) counts(t *testing.T) []string {
	t.Helper()
	rec := httptest.NewRecorder()
	w.backend.Telemetry.Handler().ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	var list []string
	for scanner := bufio.NewScanner(rec.Body); scanner.Scan(); {
		line := scanner.Text()
		for _, name := range []string{"http_server_request_duration_seconds_count", "portico_answers_requests", "portico_documents_uses", "portico_web_traces"} {
			if strings.HasPrefix(line, name) {
				list = append(list, line)
			}
		}
	}
	return list
}

// requests are those that a shop gets: for each guard of the short way one at least that it
// keeps from it.
func requests() []request {
	page := `{"documentId":"` + idOf(trustedPage) + `","variables":{"sku":"MUG-RED"}}`
	list := []request{
		{name: "plain", quick: true},
		{name: "from elsewhere", quick: true, peer: elsewhere},
		{name: "behind a proxy that nobody trusts", quick: true, headers: []header{{"X-Forwarded-For", "192.0.2.7"}}},
		{name: "by a client with a name", quick: true, headers: []header{{"X-Client-Name", "shop"}, {"X-Client-Version", "1"}}},
		{name: "with an id that is none", quick: true, headers: []header{{requestid.Header, "of two"}}},
		{name: "in another market", quick: true, headers: []header{{"X-Channel", "eu"}, {"X-Currency", "GBP"}, {"X-Country", "DE"}}},
		{name: "in another language", quick: true, headers: []header{{"Accept-Language", "fr-CA, fr;q=0.9"}}},
		{name: "in a market that is none", headers: []header{{"X-Channel", "mars"}}},
		{name: "as another type", quick: true, headers: []header{{"Accept", "application/graphql-response+json, application/json;q=0.9"}}},
		{name: "as any type", quick: true, headers: []header{{"Accept", "*/*"}}},
		{name: "as no type of ours", headers: []header{{"Accept", "text/html"}}},
		{name: "as events", headers: []header{{"Accept", "text/event-stream, application/json"}}},
		{name: "in parts", quick: true, headers: []header{{"Accept", "multipart/mixed, application/json"}}},
		{name: "with a body that is named as UTF-8", quick: true, headers: []header{{"Content-Type", "application/json; charset=utf-8"}}},
		{name: "with a body that is no JSON", headers: []header{{"Content-Type", "text/plain"}}},
		{name: "with a body that is packed", headers: []header{{"Content-Encoding", "gzip"}}},
		{name: "by a customer", headers: []header{{"Authorization", "Bearer C1"}}},
		{name: "by somebody who pays another price", headers: []header{{"Authorization", "Bearer W1"}}},
		{name: "with a bad token", headers: []header{{"Authorization", "Bearer wrong"}}},
		{name: "with an empty token", headers: []header{{"Authorization", ""}}},
		{name: "with a cookie alone", headers: []header{{"Cookie", "a=b"}}},
		{name: "from a listed origin, without X-CSRF", headers: []header{{"Origin", "https://shop.example"}}},
		{name: "from a listed origin", quick: true, headers: []header{{"Origin", "https://shop.example"}, {"X-Csrf", "1"}, {"Sec-Fetch-Site", "cross-site"}}},
		{name: "from a page of ours", quick: true, headers: []header{{"Origin", "http://portico.test"}, {"X-Csrf", "1"}, {"Cookie", "a=b"}}},
		{name: "from another origin", headers: []header{{"Origin", "https://other.example"}, {"X-Csrf", "1"}}},
		{name: "from another site", headers: []header{{"Sec-Fetch-Site", "cross-site"}, {"X-Csrf", "1"}}},
		{name: "with what makes no difference", quick: true, headers: []header{{"If-None-Match", `"a"`}, {"Cookie2", "a"}, {"Traceparent", clients[1]}}},
		{name: "for a trace", headers: []header{{"X-Trace", graphhttp.SignTrace(warmSecret, trustedPage, time.Now())}}},
		{name: "for a trace in vain", headers: []header{{"X-Trace", "1"}}},
		{name: "with a query that is for nobody", quick: true, target: Route + "?query={x}"},
		{name: "that breaks off behind what is kept", length: 3},
		{name: "by GET, with a body", method: http.MethodGet, target: Route + "?documentId=" + idOf(trustedPage) + "&variables=%7B%22sku%22%3A%22MUG-RED%22%7D"},
		{name: "by PUT", method: http.MethodPut},
		{name: "for nothing", body: `{"documentId":"` + idOf(trustedPage) + `"}`},
		{name: "for what is no document", body: `{"documentId":"x"}`},
		{name: "for what is no object", body: `[]`},
		{name: "elsewhere", target: "/nowhere"},
	}
	for i := range list {
		q := &list[i]
		q.method, q.target, q.peer, q.body = first(q.method, http.MethodPost), first(q.target, Route), first(q.peer, someone), first(q.body, page)
	}
	return list
}

func first(said, usual string) string {
	if said != "" {
		return said
	}
	return usual
}

// Whether a request is answered early or goes the whole way, its client, the log and the
// metrics are told the same. Blanks behind a body make it long and ask for nothing else.
func TestC19_ShortRequestsAreAnsweredAsLongOnesAre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // budgets stand still
		short, long := newWarm(t, "", 6_000), newWarm(t, strings.Repeat(" ", 200), 6_000)
		for _, q := range requests() {
			for i := range 3 { // made, found by what it asks for, found by its letters
				verified, shortLog, longLog := short.sessions.verified.Load(), len(short.log.String()), len(long.log.String())
				got, want := short.send(t, q), long.send(t, q)
				require.Equal(t, want, got, q.name)
				require.Equal(t, long.lines(longLog), short.lines(shortLog), q.name)
				require.Equal(t, long.counts(t), short.counts(t), q.name)
				if i == 2 {
					assert.Equal(t, q.quick, verified == short.sessions.verified.Load() && got.Status == http.StatusOK, q.name)
				}
			}
		}
		counts := strings.Join(short.counts(t), "\n")
		assert.Contains(t, counts, `portico_documents_uses_total{client="shop",document="Page"`)
		assert.Regexp(t, `portico_answers_requests\S+result="hit"`, counts)
	})
}

// The budget of an address is charged as ever, and what it has not got left is refused as ever.
func TestW10_ShortRequestsAreRefusedAsLongOnesAre(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const budget = 12
		short, long := newWarm(t, "", budget), newWarm(t, strings.Repeat(" ", 200), budget)
		plain, refused := requests()[0], 0
		for range 2 * budget {
			got := short.send(t, plain)
			require.Equal(t, long.send(t, plain), got)
			if got.Status == http.StatusTooManyRequests {
				refused++
			}
		}
		assert.Greater(t, refused, budget/2)
		assert.Equal(t, long.lines(0), short.lines(0))
		assert.Equal(t, long.counts(t), short.counts(t))
	})
}

// What is published decides which letters are answered: what has been taken away is no
// longer, be its answer kept or not.
func TestW14_ADocumentThatWasTakenAwayIsNotAnsweredEarly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, plain := newWarm(t, "", 6_000), requests()[0]
		for range 3 {
			require.Equal(t, http.StatusOK, w.send(t, plain).Status)
		}
		build(t, w.dir, "shop", "1", trustedMine)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		assert.NotEmpty(t, w.send(t, plain).Errors)
	})
}
