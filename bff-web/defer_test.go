package bffweb

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
