package bffweb

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge"
)

// The documents of a shop, by what they are for.
const (
	trustedPage   = `query Page($sku: String!) { product(sku: $sku) { sku name price { unit { formatted } } } }`
	trustedCreate = `mutation Create { cartCreate { cart { id } } }`
	trustedMine   = `query Mine { me { profile { firstName } } }`
	trustedTwo    = `query One { categories { name } } query Two { categories { id } }`
)

// idOf names a text.
func idOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// build writes the manifest of one version of a client.
func build(t testing.TB, dir, client, version string, texts ...string) {
	t.Helper()
	all := map[string]string{}
	for _, text := range texts {
		all[idOf(text)] = text
	}
	data, err := json.Marshal(all)
	require.NoError(t, err)
	path := filepath.Join(dir, client, version+".json")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path+".new", data, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

// closed is a shop that answers trusted documents only, and where they lie.
func closed(t testing.TB, change ...func(*edge.Backend)) (s *shop, dir string) {
	t.Helper()
	dir = t.TempDir()
	build(t, dir, "shop", "1", trustedPage, trustedCreate, trustedMine, trustedTwo)
	return opened(t, documents.Config{Dir: dir, Poll: time.Hour}, change...), dir
}

// named sends a document's id with variables.
func (s *shop) named(t testing.TB, id string, variables map[string]any, headers ...header) answer {
	t.Helper()
	body, err := json.Marshal(map[string]any{"documentId": id, "variables": variables})
	require.NoError(t, err)
	return s.post(t, string(body), headers...)
}

// byID sends a document's id with GET.
func (s *shop) byID(t testing.TB, values url.Values, headers ...header) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://portico.test/graphql?"+values.Encode(), nil)
	for _, h := range headers {
		r.Header.Set(h[0], h[1])
	}
	return s.send(t, r)
}

// persisted is how Apollo's clients name a document.
func persisted(id string) string {
	return `{"persistedQuery":{"version":1,"sha256Hash":"` + strings.TrimPrefix(id, "sha256:") + `"}}`
}

func TestW1_EveryFormOfAKnownIDIsAnswered(t *testing.T) {
	t.Parallel()
	s, _ := closed(t)
	page := idOf(trustedPage)
	bare := strings.TrimPrefix(page, "sha256:")
	variables := `{"sku":"MUG-RED"}`
	want := s.named(t, page, red())
	require.Equal(t, http.StatusOK, want.Status, want.Raw)
	require.Equal(t, "Red mug", at(t, want.Data, "product", "name"), want.Raw)
	for name, a := range map[string]answer{
		"bare":                   s.named(t, bare, red()),
		"persisted query":        s.post(t, `{"extensions":`+persisted(page)+`,"variables":`+variables+`}`),
		"as codegen names it":    s.post(t, `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"`+page+`"}},"variables":`+variables+`}`),
		"both":                   s.post(t, `{"documentId":"`+page+`","extensions":`+persisted(page)+`,"variables":`+variables+`}`),
		"its operation named":    s.post(t, `{"documentId":"`+page+`","operationName":"Page","variables":`+variables+`}`),
		"GET":                    s.byID(t, url.Values{"documentId": {page}, "variables": {variables}}),
		"GET, bare":              s.byID(t, url.Values{"documentId": {bare}, "variables": {variables}}),
		"GET, a persisted query": s.byID(t, url.Values{"extensions": {persisted(page)}, "variables": {variables}}),
	} {
		assert.Equal(t, http.StatusOK, a.Status, name)
		assert.Equal(t, want.Raw, a.Raw, name)
	}
	a := s.post(t, `{"documentId":"`+idOf(trustedTwo)+`","operationName":"Two"}`)
	assert.NotEmpty(t, at(t, a.Data, "categories", 0, "id"), a.Raw)
	a = s.named(t, idOf(trustedCreate), nil)
	assert.NotEmpty(t, at(t, a.Data, "cartCreate", "cart", "id"), a.Raw)
	a = s.byID(t, url.Values{"documentId": {idOf(trustedCreate)}})
	assert.Equal(t, http.StatusMethodNotAllowed, a.Status, "mutations need POST, by id as well")
	a = s.named(t, idOf(trustedMine), nil, header{"Authorization", "Bearer C1"})
	assert.Equal(t, "private, no-store", a.Header.Get("Cache-Control"))
}

// What is no published document is 400 with a code of its own, whoever asks for it how.
func TestW1_UnknownIDsAndFreeTextAreRefused(t *testing.T) {
	t.Parallel()
	s, _ := closed(t)
	text, page := `"query":"{categories{name}}"`, idOf(trustedPage)
	none := idOf("none")
	for name, c := range map[string]struct{ body, code, field string }{
		"free text":              {`{` + text + `}`, "DOCUMENT_REQUIRED", "documentId"},
		"a published text":       {`{"query":` + quoted(t, trustedPage) + `,"variables":{"sku":"MUG-RED"}}`, "DOCUMENT_REQUIRED", "documentId"},
		"text that is none":      {`{"query":"{ c4n4ry("}`, "DOCUMENT_REQUIRED", "documentId"},
		"text beside an id":      {`{"documentId":"` + page + `",` + text + `}`, "DOCUMENT_REQUIRED", "documentId"},
		"a registration":         {`{` + text + `,"extensions":` + persisted(idOf(`{categories{name}}`)) + `}`, "DOCUMENT_REQUIRED", "documentId"},
		"nothing":                {`{}`, "DOCUMENT_REQUIRED", "documentId"},
		"an empty id":            {`{"documentId":""}`, "DOCUMENT_REQUIRED", "documentId"},
		"unknown":                {`{"documentId":"` + none + `"}`, "DOCUMENT_UNKNOWN", "documentId"},
		"unknown, by letters":    {`{"documentId":"c4n4ry"}`, "DOCUMENT_UNKNOWN", "documentId"},
		"unknown hash":           {`{"extensions":` + persisted(none) + `}`, "DOCUMENT_UNKNOWN", "extensions.persistedQuery.sha256Hash"},
		"text for an id":         {`{"documentId":"{categories{name}}"}`, "DOCUMENT_UNKNOWN", "documentId"},
		"two documents":          {`{"documentId":"` + page + `","extensions":` + persisted(none) + `}`, "BAD_REQUEST", "documentId"},
		"another version":        {`{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"` + none[7:] + `"}}}`, "BAD_REQUEST", "extensions.persistedQuery"},
		"no hash":                {`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"c4n4ry"}}}`, "BAD_REQUEST", "extensions.persistedQuery"},
		"no object":              {`{"extensions":{"persistedQuery":"c4n4ry"}}`, "BAD_REQUEST", "extensions.persistedQuery"},
		"an id that is a number": {`{"documentId":5}`, "BAD_REQUEST", "documentId"},
	} {
		for range 2 { // what was refused is not registered by it
			for _, accept := range []string{"", "application/json", "application/graphql-response+json"} {
				a := s.post(t, c.body, header{"Accept", accept})
				require.Equal(t, http.StatusBadRequest, a.Status, "%s: %s", name, a.Raw)
				assert.Equal(t, []string{c.code}, a.codes(), name)
				assert.Equal(t, c.field, a.Errors[0].Extensions["field"], name)
				assert.NotContains(t, a.Raw, "c4n4ry", name)
				assert.NotContains(t, a.Raw, `"data"`, name)
				assert.Equal(t, "no-store", a.Header.Get("Cache-Control"), name)
			}
		}
	}
	for _, values := range []url.Values{{"query": {"{categories{name}}"}}, {"query": {"{categories{name}}"}, "documentId": {page}}, {}} {
		assert.Equal(t, []string{"DOCUMENT_REQUIRED"}, s.byID(t, values).codes(), values)
	}
	assert.Equal(t, []string{"DOCUMENT_UNKNOWN"}, s.byID(t, url.Values{"documentId": {none}}).codes())
	assert.Zero(t, s.TotalCalls())
}

func quoted(t testing.TB, text string) string {
	t.Helper()
	data, err := json.Marshal(text)
	require.NoError(t, err)
	return string(data)
}

// A document's variables are checked as those of free text are.
func TestVariablesOfTrustedDocumentsAreChecked(t *testing.T) {
	t.Parallel()
	s, _ := closed(t)
	page := idOf(trustedPage)
	for body, code := range map[string]string{
		`{"documentId":"` + page + `"}`:                                                        "GRAPHQL_VALIDATION_FAILED",
		`{"documentId":"` + page + `","variables":{"sku":["a"]}}`:                              "BAD_USER_INPUT",
		`{"documentId":"` + page + `","variables":{"sku":"a b"}}`:                              "BAD_USER_INPUT",
		`{"documentId":"` + page + `","variables":{"sku":"` + strings.Repeat("x", 200) + `"}}`: "BAD_USER_INPUT",
	} {
		a := s.post(t, body)
		assert.Equal(t, []string{code}, a.codes(), a.Raw)
		assert.Equal(t, "sku", a.Errors[0].Extensions["field"], a.Raw)
	}
	a := s.post(t, `{"documentId":"`+page+`","operationName":"None","variables":{"sku":"MUG-RED"}}`)
	assert.Equal(t, []string{"GRAPHQL_VALIDATION_FAILED"}, a.codes(), a.Raw)
	assert.Zero(t, s.TotalCalls())
}

// In open mode both are answered, and one shares the answer with the other.
func TestOpenModeAnswersBoth(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	build(t, dir, "shop", "1", trustedPage)
	s := opened(t, documents.Config{Dir: dir, Poll: time.Hour, Open: true})
	a := s.ok(t, trustedPage, red())
	assert.Equal(t, a.Raw, s.named(t, idOf(trustedPage), red()).Raw)
	assert.Equal(t, []string{"DOCUMENT_UNKNOWN"}, s.named(t, idOf("none"), nil).codes())
	assert.Equal(t, []string{"BAD_REQUEST"}, s.post(t, `{"query":"{__typename}","documentId":"`+idOf(trustedPage)+`"}`).codes())
	a = s.post(t, `{"query":"{__typename}","extensions":`+persisted(idOf("none"))+`}`)
	assert.Equal(t, http.StatusOK, a.Status, "clients of persisted queries may send the text; nothing is registered")
	assert.Equal(t, []string{"DOCUMENT_UNKNOWN"}, s.post(t, `{"extensions":`+persisted(idOf("{__typename}"))+`}`).codes())
}

// kept is a shop that answers trusted documents only, and keeps whole answers.
func kept(t testing.TB, change ...func(*edge.Backend)) (*shop, string) {
	t.Helper()
	return closed(t, append(change, func(b *edge.Backend) {
		cfg := cache.Config{AnswerBytes: 4 << 20, SurrogateKeyBytes: 3 << 10, HardTimeout: time.Minute} // the machine may be busy
		c, err := cache.New(cfg, cache.Deps{Log: b.Log})
		require.NoError(t, err)
		b.Ports = c.Wrap(b.Ports)
		b.Answers, err = cache.NewAnswers(c, cfg, "web", b.Telemetry.Meter())
		require.NoError(t, err)
		t.Cleanup(func() {
			b.Answers.Close()
			require.NoError(t, c.Close())
		})
	})...)
}

// By GET a document is as cacheable as a query is: for everyone, with its age and its
// tags; every request is counted, however it is answered.
func TestDocumentsByGETAreCacheable(t *testing.T) {
	t.Parallel()
	s, dir := kept(t)
	values := url.Values{"documentId": {idOf(trustedPage)}, "variables": {`{"sku":"MUG-RED"}`}}
	who := []header{{"X-Client-Name", "shop"}, {"X-Client-Version", "1"}}
	first := s.byID(t, values, who...)
	require.Equal(t, http.StatusOK, first.Status, first.Raw)
	assert.Contains(t, first.Header.Get("Cache-Control"), "public, max-age=")
	assert.NotEmpty(t, first.Header.Get("Surrogate-Key"))
	assert.NotContains(t, first.Header.Values("Vary"), "X-Client-Name", "who asks for it changes nothing")
	s.ResetCalls()
	for range 3 {
		again := s.byID(t, values, who...)
		assert.Equal(t, first.Raw, again.Raw)
		assert.Equal(t, "hit", s.how(t))
	}
	a := s.post(t, `{"extensions":`+persisted(idOf(trustedPage))+`,"variables":{"sku":"MUG-RED"}}`, who...)
	assert.Equal(t, first.Raw, a.Raw)
	assert.Equal(t, "hit", s.how(t), "one answer, however its document is named")
	assert.Zero(t, s.TotalCalls())
	page := s.published(t)
	require.Len(t, page.Manifests, 1)
	assert.EqualValues(t, 5, page.Manifests[0].Uses, "answers that are kept are uses, too")

	build(t, dir, "shop", "1", trustedMine)
	s.documents.Refresh(t.Context())
	assert.Equal(t, []string{"DOCUMENT_UNKNOWN"}, s.byID(t, values, who...).codes(), "withdrawn at once, whatever is kept")
}

// publishedPage is what /documents says, as far as tests look.
type publishedPage struct {
	Mode      string
	Manifests []struct {
		Client, Version string
		Uses            int64
		Unused          []string
	}
	Problems []struct{ File, ID, Cause string }
}

func (s *shop) published(t testing.TB) (page publishedPage) {
	t.Helper()
	w := httptest.NewRecorder()
	s.documents.Page().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/documents", nil))
	require.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &page), w.Body.String())
	return page
}

// Manifests come and go under load, and no request is dropped or answered wrongly.
func TestW1_ReloadingUnderLoadDropsNoRequest(t *testing.T) {
	t.Parallel()
	s, dir := kept(t)
	page, stop := idOf(trustedPage), make(chan struct{})
	var visitors sync.WaitGroup
	for i := range 4 {
		visitors.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				a := s.named(t, page, red(), header{"X-Client-Name", "shop"}, header{"X-Client-Version", fmt.Sprint(i)})
				if !assert.Equal(t, http.StatusOK, a.Status, a.Raw) {
					return
				}
			}
		})
	}
	for i := range 40 {
		build(t, dir, "shop", fmt.Sprint(i%4), trustedPage, fmt.Sprintf("query Q%d { categories { name } }", i))
		s.documents.Refresh(t.Context())
		a := s.named(t, idOf(fmt.Sprintf("query Q%d { categories { name } }", i)), nil)
		assert.Equal(t, http.StatusOK, a.Status, "what is published is answered: %s", a.Raw)
	}
	close(stop)
	visitors.Wait()
}

// Who asks is counted by what is published, never by what is sent.
func TestUsesAreMeasured(t *testing.T) {
	t.Parallel()
	var metrics http.Handler
	s, _ := closed(t, func(b *edge.Backend) { metrics = b.Telemetry.Handler() })
	s.named(t, idOf(trustedPage), red(), header{"X-Client-Name", "shop"}, header{"X-Client-Version", "1"})
	s.named(t, idOf(trustedPage), red(), header{"apollographql-client-name", "shop"}, header{"apollographql-client-version", "1"})
	for i := range 50 {
		s.named(t, idOf(trustedPage), red(), header{"X-Client-Name", fmt.Sprint("made-up-", i)}, header{"X-Client-Version", "1"})
	}
	s.named(t, idOf("none"), nil)
	s.query(t, "{__typename}", nil)
	w := httptest.NewRecorder()
	metrics.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	body := w.Body.String()
	found := func(name string, labels ...string) string {
		for line := range strings.Lines(body) {
			fits := strings.HasPrefix(line, name)
			for _, l := range labels {
				fits = fits && strings.Contains(line, l)
			}
			if fits {
				return strings.TrimSpace(line[strings.LastIndexByte(line, ' '):])
			}
		}
		return ""
	}
	assert.Equal(t, "2", found("portico_documents_uses", `client="shop"`, `version="1"`, `document="Page"`), body)
	assert.Equal(t, "50", found("portico_documents_uses", `client="other"`, `version="other"`, `document="Page"`))
	assert.Equal(t, "1", found("portico_documents_refused", `reason="unknown"`))
	assert.Equal(t, "1", found("portico_documents_refused", `reason="required"`))
	assert.Equal(t, "4", found("portico_documents_loaded"))
	assert.NotContains(t, body, "made-up")
}

// A manifest that asks for the schema is for development: production publishes none.
func TestProductionPublishesNoIntrospection(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	asks := `query Types { __schema { queryType { name } } }`
	build(t, dir, "shop", "1", asks)
	build(t, dir, "shop", "2", trustedPage)
	s := opened(t, documents.Config{Dir: dir, Poll: time.Hour})
	assert.Equal(t, []string{"DOCUMENT_UNKNOWN"}, s.named(t, idOf(asks), nil).codes())
	problems := s.published(t).Problems
	require.Len(t, problems, 1)
	assert.Equal(t, "shop/1.json", problems[0].File)
	assert.Contains(t, problems[0].Cause, "introspection is disabled")
	s = opened(t, documents.Config{Dir: dir, Poll: time.Hour}, func(b *edge.Backend) { b.Config.Mode = edge.Development })
	assert.Equal(t, http.StatusOK, s.named(t, idOf(asks), nil).Status)
}

// Preflights let pages of listed origins say which client they are.
func TestA14_ClientsMayNameThemselves(t *testing.T) {
	t.Parallel()
	s, _ := closed(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodOptions, "http://portico.test/graphql", nil)
	r.Header.Set("Origin", "https://shop.example")
	r.Header.Set("Access-Control-Request-Method", "POST")
	allowed := s.send(t, r).Header.Get("Access-Control-Allow-Headers")
	for _, name := range []string{"X-Client-Name", "X-Client-Version", "Apollographql-Client-Name", "Apollographql-Client-Version"} {
		assert.Contains(t, allowed, name)
	}
}

func TestW1_ProductionTakesNoOpenMode(t *testing.T) {
	t.Parallel()
	production := []string{"ORDER_TOKEN_KEY=" + strings.Repeat("k", 32), "WEB_ADDR=127.0.0.1:0", "WEB_ADMIN_ADDR=127.0.0.1:0", "LOG_LEVEL=error"}
	_, err := Load(append(production, "WEB_OPEN_QUERIES=true", "WEB_DOCUMENTS_REDIS=true"))
	assert.ErrorContains(t, err, "WEB_OPEN_QUERIES must not be set in production")
	assert.ErrorContains(t, err, "WEB_DOCUMENTS_REDIS needs REDIS_URL")
	_, err = Load(production)
	assert.ErrorContains(t, err, "WEB_DOCUMENTS_DIR or WEB_DOCUMENTS_REDIS or WEB_STOREFRONT is required in production")

	dir := t.TempDir()
	cfg, err := Load(append(production, "WEB_DOCUMENTS_DIR="+dir))
	require.NoError(t, err)
	cfg.Telemetry.Out = io.Discard
	_, err = New(t.Context(), cfg)
	assert.ErrorContains(t, err, "WEB_DOCUMENTS_DIR holds no manifest that can be used")

	build(t, dir, "shop", "1", trustedPage)
	app, err := New(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, app.Close(t.Context())) })
	s := &shop{handler: app.Handler(), documents: app.published}
	assert.Equal(t, []string{"DOCUMENT_REQUIRED"}, s.query(t, "{__typename}", nil).codes())
	assert.Equal(t, http.StatusOK, s.named(t, idOf(trustedPage), red()).Status)

	cfg, err = Load([]string{"PORTICO_MODE=development", "LOG_LEVEL=error"})
	require.NoError(t, err)
	dev, err := New(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, dev.Close(t.Context())) })
	s = &shop{handler: dev.Handler()}
	assert.Equal(t, []string{"DOCUMENT_REQUIRED"}, s.query(t, "{__typename}", nil).codes(), "open mode needs its flag in development, too")
}

// A process whose only source has never answered says so, and is not ready.
func TestNotReadyWithoutDocuments(t *testing.T) {
	t.Parallel()
	cfg, err := Load([]string{"ORDER_TOKEN_KEY=" + strings.Repeat("k", 32), "LOG_LEVEL=error", "WEB_DOCUMENTS_REDIS=true", "REDIS_URL=redis://127.0.0.1:1"})
	require.NoError(t, err)
	cfg.Telemetry.Out = io.Discard
	app, err := New(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, app.Close(t.Context())) })
	s := &shop{handler: app.Handler()}
	a := s.named(t, idOf(trustedPage), red())
	assert.Equal(t, http.StatusServiceUnavailable, a.Status)
	assert.Equal(t, []string{"UNAVAILABLE"}, a.codes())
	assert.NotEmpty(t, a.Header.Get("Retry-After"))
	admin := func(path string) int {
		w := httptest.NewRecorder()
		app.adminRoutes().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w.Code
	}
	assert.Equal(t, http.StatusServiceUnavailable, admin("/readyz"))
	assert.Equal(t, http.StatusOK, admin("/healthz"))
	assert.Equal(t, http.StatusOK, admin("/documents"))
}

// The demo's own manifests can be used as they are.
func TestTheDemosDocumentsAreUsable(t *testing.T) {
	t.Parallel()
	s := opened(t, documents.Config{Dir: "../demo/stack/documents", Poll: time.Hour})
	page := s.published(t)
	assert.Empty(t, page.Problems)
	assert.Len(t, page.Manifests, 2)
	main, err := os.ReadFile("../demo/main.go")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(main), "documentId=")
	require.True(t, found)
	id, _, _ := strings.Cut(after, "\n")
	assert.NotNil(t, s.documents.Find(id), "the request that the demo shows")
}
