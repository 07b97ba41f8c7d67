package bffweb

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
)

// counting notes which of the searches that Elasticsearch is asked for have it count facets.
type counting struct {
	next http.RoundTripper

	mu      sync.Mutex
	counted []bool
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/_search") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		c.mu.Lock()
		c.counted = append(c.counted, bytes.Contains(body, []byte(`"aggs"`)))
		c.mu.Unlock()
	}
	return c.next.RoundTrip(r)
}

// made answers the searches since it was asked last.
func (c *counting) made() []bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := c.counted
	c.counted = nil
	return made
}

// Facets are counted for operations that ask for them, on every page, and for no others; a
// page is one search, wherever in the operation it stands.
func TestFacetsAreCountedForWhoAsksForThem(t *testing.T) {
	t.Parallel()
	systems, err := sandbox.New(sandbox.Config{})
	require.NoError(t, err)
	t.Cleanup(systems.Close)
	cfg, err := Load(append(sandboxtest.Environ("http://sandbox.test"), "PORTICO_MODE=development", "WEB_OPEN_QUERIES=true"))
	require.NoError(t, err)
	cfg.Telemetry.Out = io.Discard
	asked := &counting{next: &wired{systems: systems.Handler(), calls: map[string]int{}}}
	cfg.Wire = asked
	app, err := New(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, app.Close(t.Context())) })
	s := &shop{handler: app.Handler()}

	const some = `"facets":[{"code":`
	after := map[string]any{"after": at(t, s.ok(t, `{search(text:"road",first:1){pageInfo{endCursor}}}`, nil).Data, "search", "pageInfo", "endCursor")}
	assert.Equal(t, []bool{false}, asked.made())
	within := map[string]any{"after": at(t, s.ok(t, `{category(id:"101"){products(first:1){pageInfo{endCursor}}}}`, nil).Data, "category", "products", "pageInfo", "endCursor")}
	assert.Equal(t, []bool{false}, asked.made())
	for name, c := range map[string]struct {
		query     string
		variables map[string]any
		counted   bool
	}{
		"a search":                            {`{search(text:"road",first:2){nodes{sku} facets{code}}}`, nil, true},
		"without facets":                      {`{search(text:"road",first:2){nodes{sku} totalCount}}`, nil, false},
		"a later page":                        {`query($after:String){search(text:"road",first:2,after:$after){nodes{sku} facets{code}}}`, after, true},
		"a later page without":                {`query($after:String){search(text:"road",first:2,after:$after){nodes{sku}}}`, after, false},
		"in a fragment":                       {`{search(text:"road",first:3){...F}} fragment F on ProductConnection{facets{code}}`, nil, true},
		"by another name":                     {`{search(text:"road",first:4){nodes{sku} narrow:facets{code}}}`, nil, true},
		"left out":                            {`query($no:Boolean!){search(text:"road",first:5){nodes{sku} facets@skip(if:$no){code}}}`, map[string]any{"no": true}, false},
		"not left out":                        {`query($no:Boolean!){search(text:"road",first:5){nodes{sku} facets@skip(if:$no){code}}}`, map[string]any{"no": false}, true},
		"once with and once without":          {`{some:search(text:"road",first:8){nodes{sku}} all:search(text:"road",first:8){facets{code}}}`, nil, true},
		"a category":                          {`{category(id:"101"){products(first:2){nodes{sku} facets{code}}}}`, nil, true},
		"a category without":                  {`{category(id:"101"){products(first:2){nodes{sku}}}}`, nil, false},
		"a later page of a category":          {`query($after:String){category(id:"101"){products(first:2,after:$after){facets{code}}}}`, within, true},
		"a later page of a category, without": {`query($after:String){category(id:"101"){products(first:2,after:$after){nodes{sku}}}}`, within, false},
	} {
		a := s.ok(t, c.query, c.variables)
		assert.Equal(t, []bool{c.counted}, asked.made(), "%s: %s", name, a.Raw)
		assert.Equal(t, c.counted, strings.Contains(a.Raw, some) || strings.Contains(a.Raw, `"narrow":[{"code":`), "%s: %s", name, a.Raw)
	}
	for name, query := range map[string]string{
		"a search":          `{search(text:"road",first:6){nodes{sku} ...@defer{facets{code}}}}`,
		"a category":        `{category(id:"101"){products(first:6){nodes{sku} ...@defer{facets{code}}}}}`,
		"of a page at once": `{search(text:"road",first:9){nodes{sku}} ...@defer{search(text:"road",first:9){facets{code}}}}`,
		"a deferred search": `{category(id:"101"){name ...@defer{products(first:7){nodes{sku} ...@defer{facets{code}}}}}}`,
	} {
		var told strings.Builder
		for _, p := range s.stream(t, query, nil).rest(t) {
			for _, i := range p.Incremental {
				text, err := json.Marshal(i.Data)
				require.NoError(t, err)
				told.Write(text)
			}
		}
		assert.Equal(t, []bool{true}, asked.made(), "%s: %s", name, told.String())
		assert.Contains(t, told.String(), some, name)
	}
}
