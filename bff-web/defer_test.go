package bffweb

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/limits"
	"github.com/portico-bff/portico/edge/ratelimit"
	"github.com/portico-bff/portico/schema/commerce"
)

const partsType = "multipart/mixed;deferSpec=20220824, application/graphql-response+json, application/json;q=0.9"

// part is one part of an answer.
type part struct {
	Data        map[string]any   `json:"data"`
	Errors      []map[string]any `json:"errors"`
	Extensions  map[string]any   `json:"extensions"`
	HasNext     *bool            `json:"hasNext"`
	Incremental []struct {
		Label      *string          `json:"label"`
		Path       []any            `json:"path"`
		Data       map[string]any   `json:"data"`
		Errors     []map[string]any `json:"errors"`
		Extensions map[string]any   `json:"extensions"`
	} `json:"incremental"`
}

// stream is an answer in parts that is read as it comes.
type stream struct {
	*http.Response
	parts *multipart.Reader
}

// stream sends a query over a socket, as a client that takes parts.
func (s *shop) stream(t testing.TB, query string, variables map[string]any, headers ...header) *stream {
	t.Helper()
	server := httptest.NewServer(s.handler)
	t.Cleanup(server.Close)
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/graphql", strings.NewReader(string(body)))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", partsType)
	for _, h := range headers {
		r.Header.Set(h[0], h[1])
	}
	res, err := server.Client().Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	mediaType, params, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	require.NoError(t, err)
	if mediaType != "multipart/mixed" {
		text, _ := io.ReadAll(res.Body)
		require.Equal(t, "multipart/mixed", mediaType, "%s", text)
	}
	require.Equal(t, "20220824", params["deferspec"])
	return &stream{res, multipart.NewReader(res.Body, params["boundary"])}
}

// next is the next part, as soon as it is there.
func (s *stream) next(t testing.TB) (p part) {
	t.Helper()
	next, err := s.parts.NextPart()
	require.NoError(t, err)
	assert.Equal(t, "application/json; charset=utf-8", next.Header.Get("Content-Type"))
	text, err := io.ReadAll(next)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &p), "%s", text)
	require.NotNil(t, p.HasNext, "%s", text)
	return p
}

// ends wants no part more.
func (s *stream) ends(t testing.TB) {
	t.Helper()
	_, err := s.parts.NextPart()
	assert.ErrorIs(t, err, io.EOF)
}

// What needs the ERP comes when the ERP has answered, and nothing else waits for it.
func TestWhatIsDeferredComesLater(t *testing.T) {
	t.Parallel()
	s := open(t)
	held := make(chan struct{})
	s.Hold(commerce.OpPrices, func(ctx context.Context) {
		select {
		case <-held:
		case <-ctx.Done():
		}
	})
	answer := s.stream(t, `{product(sku:"MUG-RED"){sku name ...@defer(label:"price"){price{unit{amount}}}}}`, nil)
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
	first := answer.next(t)
	assert.Equal(t, map[string]any{"product": map[string]any{"sku": "MUG-RED", "name": "Red mug"}}, first.Data)
	assert.True(t, *first.HasNext)
	close(held)
	later := answer.next(t)
	assert.False(t, *later.HasNext)
	require.Len(t, later.Incremental, 1)
	got := later.Incremental[0]
	assert.Equal(t, "price", *got.Label)
	assert.Equal(t, []any{"product"}, got.Path)
	assert.NotNil(t, at(t, got.Data, "price", "unit", "amount"))
	assert.Empty(t, got.Errors)
	answer.ends(t)
	assert.Equal(t, 1, s.Calls(commerce.OpPrices))
	assert.Equal(t, 1, s.Calls(commerce.OpProducts))
}

// Who cannot take parts is told so, before anything is asked, and is never answered nulls.
func TestWhoTakesNoPartsIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	const query = `query($later:Boolean){product(sku:"MUG-RED"){name ...@defer(if:$later){price{unit{amount}}}}}`
	for _, accept := range []string{
		"", "*/*", "application/json", "application/graphql-response+json", "application/json, multipart/mixed;deferSpec=20990101",
		"application/json, multipart/mixed;incrementalSpec=v0.2", "multipart/mixed;q=0, application/json", "application/json, multipart/mixed;subscriptionSpec=1.0",
	} {
		s.ResetCalls()
		a := s.query(t, query, nil, header{"Accept", accept})
		assert.Equal(t, http.StatusNotAcceptable, a.Status, "%s: %s", accept, a.Raw)
		assert.Equal(t, []string{"DEFER_NOT_ACCEPTED"}, a.codes(), accept)
		assert.Equal(t, "Accept", a.Errors[0].Extensions["field"])
		assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
		assert.Nil(t, a.Data)
		assert.Zero(t, s.TotalCalls())

		a = s.ok(t, query, map[string]any{"later": false}, header{"Accept", accept})
		assert.NotNil(t, at(t, a.Data, "product", "price", "unit", "amount"), "what is not deferred is there")
	}
	for _, accept := range []string{partsType, "multipart/mixed; deferSpec=20220824", "multipart/mixed, application/json", "application/json, multipart/mixed;deferspec=20220824;q=0.1"} {
		a := s.query(t, query, nil, header{"Accept", accept})
		assert.Equal(t, http.StatusOK, a.Status, "%s: %s", accept, a.Raw)
		assert.Equal(t, `multipart/mixed; boundary="-"; deferSpec=20220824`, a.Header.Get("Content-Type"), accept)
	}
	a := s.ok(t, query, map[string]any{"later": false}, header{"Accept", "multipart/mixed;deferSpec=20220824"})
	assert.Equal(t, "application/json; charset=utf-8", a.Header.Get("Content-Type"))
}

// firstOf is the first part of an answer, or all of one that has no parts.
func firstOf(a answer) string {
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "multipart/mixed") {
		return a.Raw
	}
	_, behind, _ := strings.Cut(a.Raw, "\r\n\r\n")
	first, _, _ := strings.Cut(behind, "\r\n---")
	return first
}

// rest reads the parts that are left, and wants the last one to say that it is.
func (s *stream) rest(t testing.TB) (parts []part) {
	t.Helper()
	for {
		p := s.next(t)
		parts = append(parts, p)
		if !*p.HasNext {
			s.ends(t)
			return parts
		}
	}
}

// Each object of a list has an entry of its own, in one part; what is deferred in a deferred
// fragment comes after it.
func TestDeferredInListsAndInOneAnother(t *testing.T) {
	t.Parallel()
	s := open(t)
	parts := s.stream(t, `{products(skus:["MUG-RED","NO-SUCH","MUG-BLUE"]){sku ...@defer(label:"outer"){name ...@defer(label:"inner"){price{unit{amount}}}}}}`, nil).rest(t)
	require.Len(t, parts, 3)
	assert.Nil(t, at(t, parts[0].Data, "products", 1))
	for i, label := range []string{"outer", "inner"} {
		entries := parts[i+1].Incremental
		require.Len(t, entries, 2, "none for what is null")
		for j, index := range []float64{0, 2} {
			assert.Equal(t, label, *entries[j].Label)
			assert.Equal(t, []any{"products", index}, entries[j].Path)
			assert.Empty(t, entries[j].Errors)
		}
	}
	assert.Equal(t, "Red mug", parts[1].Incremental[0].Data["name"])
	assert.NotNil(t, at(t, parts[2].Incremental[1].Data, "price", "unit", "amount"))
}

// What a fragment cannot have is its own loss, and is said with it.
func TestALossStaysInItsFragment(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Fail(commerce.OpPrices, commerce.ErrUnavailable)
	s.Fail(commerce.OpAvailability, commerce.ErrUnavailable)
	parts := s.stream(t, `{product(sku:"MUG-RED"){name ...@defer(label:"price"){sku price @freshness(onError:FAIL){unit{amount}} ...@defer{description}} ...@defer(label:"stock"){sku availability{inStock}}}}`, nil).rest(t)
	require.Len(t, parts, 3)
	assert.Empty(t, parts[0].Errors)
	for _, p := range parts[1:] {
		entry := p.Incremental[0]
		require.Len(t, entry.Errors, 1)
		switch *entry.Label {
		case "price":
			assert.Nil(t, entry.Data, "the null goes up to the fragment, and what is deferred in it does not come")
			assert.Equal(t, []any{"product", "price"}, entry.Errors[0]["path"])
		case "stock":
			assert.Equal(t, map[string]any{"sku": "MUG-RED", "availability": nil}, entry.Data)
			assert.Equal(t, "missing", at(t, entry.Extensions, "freshness", 0, "state"))
		}
	}
}

// Nothing of an object that turned out to be null comes later.
func TestNothingComesOfWhatIsNull(t *testing.T) {
	t.Parallel()
	s := open(t)
	parts := s.stream(t, `{product(sku:"NO-SUCH"){name ...@defer{price{unit{amount}}}}}`, nil).rest(t)
	require.Len(t, parts, 1)
	assert.Nil(t, parts[0].Data["product"])
	s.Fail(commerce.OpProducts, commerce.ErrUnavailable)
	parts = s.stream(t, `{product(sku:"MUG-BLUE")@freshness(onError:FAIL){name} categories{id} ...@defer{b:categories{id}}}`, nil).rest(t)
	require.Len(t, parts, 1)
	assert.Nil(t, parts[0].Data)
	assert.Len(t, parts[0].Errors, 1)
}

// When the client goes away, what is still asked for is given up; nothing is left, as the
// package's leak test holds.
func TestWhoLeavesIsAskedForNoMore(t *testing.T) {
	t.Parallel()
	s := open(t)
	given := make(chan struct{})
	s.Hold(commerce.OpPrices, func(ctx context.Context) {
		<-ctx.Done()
		close(given)
	})
	answer := s.stream(t, `{product(sku:"MUG-RED"){name ...@defer{price{unit{amount}}}}}`, nil)
	assert.True(t, *answer.next(t).HasNext)
	require.NoError(t, answer.Body.Close())
	select {
	case <-given:
	case <-time.After(time.Minute):
		t.Error("the call goes on")
	}
}

// A request that has run out of time says so in the parts that are missing.
func TestTheDeadlineIsOfAllParts(t *testing.T) {
	t.Parallel()
	s := open(t, func(b *edge.Backend) { b.Config.Limits.RequestTimeout = 4 * time.Second })
	s.Hold(commerce.OpPrices, func(ctx context.Context) { <-ctx.Done() })
	parts := s.stream(t, `{product(sku:"MUG-RED"){name ...@defer{price{unit{amount}}}}}`, nil).rest(t)
	require.Len(t, parts, 2)
	assert.Equal(t, "TIMEOUT", at(t, parts[1].Incremental[0].Errors[0], "extensions", "code"))
	var line struct{ DurationMs float64 }
	require.Eventually(t, func() bool {
		_, text, logged := strings.Cut(s.log.String(), `"msg":"request"`)
		return logged && json.Unmarshal([]byte("{"+strings.TrimPrefix(strings.SplitN(text, "\n", 2)[0], ",")), &line) == nil
	}, time.Minute, 10*time.Millisecond)
	assert.GreaterOrEqual(t, line.DurationMs, 3900.0, "the log has the whole duration")
}

// The log has the bytes of all parts.
func TestAllPartsAreCounted(t *testing.T) {
	t.Parallel()
	s := open(t)
	a := s.query(t, `{product(sku:"MUG-RED"){name ...@defer{price{unit{amount}}}}}`, nil, header{"Accept", partsType})
	require.Contains(t, a.Raw, `"incremental"`)
	assert.Contains(t, s.log.String(), fmt.Sprintf(`"bytes":%d}`, len(a.Raw)))
}

func TestDeferIsBounded(t *testing.T) {
	t.Parallel()
	s := open(t)
	spread := `{product(sku:"MUG-RED"){name ...F a:related{...F} b:related{...F}}} fragment F on Product{...@defer{sku} ...@defer{name} ...@defer{brand} ...@defer{description}}`
	a := s.query(t, spread, nil, header{"Accept", partsType})
	assert.Equal(t, http.StatusBadRequest, a.Status, a.Raw)
	assert.Equal(t, []string{"QUERY_LIMIT"}, a.codes())
	assert.Equal(t, "deferred", a.Errors[0].Extensions["limit"])
	assert.InDelta(t, 10, a.Errors[0].Extensions["max"], 0)
	assert.Zero(t, s.TotalCalls())
	a = s.query(t, `{products(skus:["MUG-RED"]) @stream {sku}}`, nil, header{"Accept", partsType})
	assert.Equal(t, []string{"GRAPHQL_VALIDATION_FAILED"}, a.codes(), "there is no @stream")
}

// What cannot be divided comes whole, with nothing null that is not.
func TestWhatCannotBeDividedComesWhole(t *testing.T) {
	t.Parallel()
	s := open(t)
	parts := s.stream(t, `mutation{cartCreate{...@defer{cart{...on Cart@defer{id quantity}}} userErrors{code}}}`, nil).rest(t)
	require.Len(t, parts, 1)
	assert.NotEmpty(t, at(t, parts[0].Data, "cartCreate", "cart", "id"))
	a := s.query(t, `mutation{cartCreate{...@defer{cart{id}}}}`, nil)
	assert.Equal(t, []string{"DEFER_NOT_ACCEPTED"}, a.codes())
}

// By GET it is the same; caches on the way keep nothing of it, and neither do we.
func TestPartsAreKeptByNobody(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	const query = `{product(sku:"MUG-RED"){name ...@defer{price{unit{amount}}}}}`
	for range 2 {
		a := s.by(t, query, nil, header{"Accept", partsType})
		assert.Equal(t, http.StatusOK, a.Status)
		assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
		assert.Empty(t, a.Header.Get("ETag"))
		assert.Equal(t, "no", a.Header.Get("X-Accel-Buffering"), "nor held back")
		assert.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"))
		assert.Contains(t, strings.Join(a.Header.Values("Vary"), ","), "Accept")
		assert.Contains(t, a.Raw, `"incremental"`)
	}
	assert.Equal(t, 2, strings.Count(s.log.String(), `"answer":"bypass"`), "each was executed")
	a := s.query(t, query, nil, header{"Accept", partsType}, header{"Authorization", "Bearer C1"})
	assert.Equal(t, "private, no-store", a.Header.Get("Cache-Control"))
	a = s.query(t, query, nil, header{"Accept", partsType}, header{"Origin", "https://evil.example"}, header{"X-CSRF", "1"})
	assert.Equal(t, http.StatusForbidden, a.Status)

	const maybe = `query($later:Boolean!){product(sku:"MUG-BLUE"){name ...@defer(if:$later){price{unit{amount}}}}}`
	for _, kept := range []string{"miss", "hit"} { // where nothing is deferred, the answer is one as any other
		a := s.ok(t, maybe, map[string]any{"later": false})
		assert.NotNil(t, at(t, a.Data, "product", "price"))
		assert.Contains(t, s.log.String(), `"answer":"`+kept+`"`)
	}
	a = s.query(t, maybe, map[string]any{"later": true}, header{"Accept", partsType})
	assert.Contains(t, a.Raw, `"incremental"`)
}

// A published document may defer, and its variables decide.
func TestTrustedDocumentsMayDefer(t *testing.T) {
	t.Parallel()
	const text = `query Page($sku:String! $later:Boolean!){product(sku:$sku){name ...@defer(if:$later label:"price"){price{unit{amount}}}}}`
	dir := t.TempDir()
	build(t, dir, "shop", "1", text)
	s := opened(t, documents.Config{Dir: dir, Poll: time.Hour})
	ask := func(later bool, accept string) answer {
		body, err := json.Marshal(map[string]any{"documentId": idOf(text), "variables": map[string]any{"sku": "MUG-RED", "later": later}})
		require.NoError(t, err)
		return s.post(t, string(body), header{"Accept", accept})
	}
	for range 2 {
		assert.Contains(t, ask(true, partsType).Raw, `"label":"price"`)
		assert.Equal(t, []string{"DEFER_NOT_ACCEPTED"}, ask(true, "application/json").codes())
		whole := ask(false, "application/json")
		assert.NotNil(t, at(t, whole.Data, "product", "price", "unit"))
	}
}

// Who is shown a trace gets it last: it is of all parts.
func TestTheTraceIsOfAllParts(t *testing.T) {
	t.Parallel()
	s := open(t, func(b *edge.Backend) { b.Config.Mode = edge.Development })
	parts := s.stream(t, `{product(sku:"MUG-RED"){name ...@defer{price{unit{amount}}}}}`, nil, header{"X-Trace", "1"}).rest(t)
	require.Len(t, parts, 3)
	assert.NotNil(t, parts[2].Extensions["trace"])
	assert.NotNil(t, parts[0].Extensions["cost"])
}

// A request in parts is charged once, with all that its fragments can cost.
func TestPartsAreChargedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := limited(t, ratelimit.Config{Address: 6_000, Customer: 600}, ratelimit.Deps{})
		a := s.from(t, someone, `{product(sku:"MUG-RED"){name ...@defer{price{quantity}} ...@defer{availability{quantity}}}}`,
			header{"Authorization", "Bearer C1"}, header{"Accept", partsType})
		require.Contains(t, a.Raw, `"incremental"`)
		assert.Equal(t, `"customer";r=595;t=0, "address";r=5995;t=0`, a.Header.Get("RateLimit"), "1, and 4 calls")
		a = s.from(t, someone, `{product(sku:"MUG-RED"){...@defer{price{quantity}}}}`, header{"Authorization", "Bearer C1"})
		assert.Equal(t, []string{"DEFER_NOT_ACCEPTED"}, a.codes())
		a = s.from(t, someone, `{__typename}`, header{"Authorization", "Bearer C1"})
		assert.Equal(t, `"customer";r=593;t=0, "address";r=5993;t=0`, a.Header.Get("RateLimit"), "1 for the refused request, too")
	})
}

// Labels tell parts apart: each stands once in a document, as a text.
func TestLabelsAreTold(t *testing.T) {
	t.Parallel()
	s := open(t)
	for query, message := range map[string]string{
		`{product(sku:"MUG-RED"){...@defer(label:"a"){sku} ...@defer(label:"a"){name}}}`:                                                "@defer: label: is used twice in the document; give each @defer its own, or none",
		`{product(sku:"MUG-RED"){...F ...on Product@defer(label:"a" if:false){name}}} fragment F on Product{...@defer(label:"a"){sku}}`: "@defer: label: is used twice in the document; give each @defer its own, or none",
		`query($l:String){product(sku:"MUG-RED"){...@defer(label:$l){sku}}}`:                                                            "@defer: label: must be a text, and no variable",
	} {
		a := s.query(t, query, map[string]any{"l": "a"}, header{"Accept", partsType})
		require.Len(t, a.Errors, 1, a.Raw)
		assert.Equal(t, message, a.Errors[0].Message)
		assert.Equal(t, []string{"GRAPHQL_VALIDATION_FAILED"}, a.codes())
		assert.Equal(t, "label", a.Errors[0].Extensions["field"])
		assert.Contains(t, a.Raw, `"locations":[{"line":1`)
	}
	assert.Zero(t, s.TotalCalls())
	parts := s.stream(t, `{product(sku:"MUG-RED"){...F related{...F} ...@defer{name} ...@defer(label:null){brand} ...@defer(label:"b"){sku}}} fragment F on Product{...@defer(label:"a"){sku}}`, nil).rest(t)
	assert.Greater(t, len(parts), 1, "a fragment that is spread twice has its label once")
}

// Clients' caches add __typename to each set; ten deferred fragments are still ten.
func TestTypenamesDoNotCountAsOneKey(t *testing.T) {
	t.Parallel()
	s := open(t)
	query := `{product(sku:"MUG-RED"){sku ` + strings.Repeat(`...@defer{__typename} `, 10) + `__typename}}`
	parts := s.stream(t, query, nil).rest(t)
	assert.Equal(t, map[string]any{"sku": "MUG-RED", "__typename": "Product"}, parts[0].Data["product"])
	entries := 0
	for _, p := range parts[1:] {
		entries += len(p.Incremental)
	}
	assert.Equal(t, 10, entries)
}

// What is too large is refused as ever, traced or not; of a fragment it is that one's loss.
func TestPartsAreOfAnAnswersSize(t *testing.T) {
	t.Parallel()
	s := open(t, func(b *edge.Backend) {
		b.Config.Mode = edge.Development
		b.Config.Limits.RequestTimeout = time.Minute // under the race detector, five mebibytes take their time
		b.Ports.Catalog = endless{b.Ports.Catalog, limits.MaxResponseBytes}
	})
	traced := header{"X-Trace", "1"}
	a := s.query(t, `{product(sku:"MUG-RED"){description ...@defer{name}}}`, nil, header{"Accept", partsType}, traced)
	assert.Equal(t, http.StatusInternalServerError, a.Status)
	assert.Equal(t, []string{"ANSWER_TOO_LARGE"}, a.codes(), "%.200s", a.Raw)
	parts := s.stream(t, `{product(sku:"MUG-RED"){name ...@defer(label:"large"){description} ...@defer(label:"small"){sku}}}`, nil).rest(t)
	require.Len(t, parts, 3)
	for _, p := range parts[1:] {
		switch entry := p.Incremental[0]; *entry.Label {
		case "large":
			assert.Nil(t, entry.Data)
			assert.Equal(t, "ANSWER_TOO_LARGE", at(t, entry.Errors[0], "extensions", "code"))
		case "small":
			assert.Equal(t, map[string]any{"sku": "MUG-RED"}, entry.Data)
			assert.Empty(t, entry.Errors)
		}
	}
}
