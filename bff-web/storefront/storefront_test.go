package storefront_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/storefront"
)

func shop() http.Handler {
	mux := http.NewServeMux()
	storefront.Mount(mux)
	return mux
}

func get(t *testing.T, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://shop.test"+path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	shop().ServeHTTP(w, r)
	return w
}

// Every route of the shop is its page; nothing else is.
func TestThePageAnswersTheShopsOwnRoutesOnly(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/category/101", "/search?q=helmet", "/product/BK-M82S-38", "/cart", "/checkout", "/orders/000000007", "/account", "/pages/shipping"} {
		w := get(t, path)
		require.Equal(t, http.StatusOK, w.Code, path)
		assert.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
		assert.Equal(t, "no-cache", w.Header().Get("Cache-Control"))
		policy := w.Header().Get("Content-Security-Policy")
		assert.Contains(t, policy, "script-src 'self';")
		assert.NotContains(t, policy, "unsafe")
		assert.NotRegexp(t, `<script(?:[^>]*)>[^<]`, w.Body.String(), "no script in the page itself")
	}
	for _, path := range []string{"/graphql", "/product", "/product/a/b", "/index.html", "/assets/", "/assets/x.js", "/persisted-documents.json", "/src/main.tsx", "/package.json"} {
		assert.Equal(t, http.StatusNotFound, get(t, path).Code, path)
	}
	w := httptest.NewRecorder()
	shop().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://shop.test/cart", nil))
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

var loads = regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`)

// What the page loads is kept for good, and the same in every coding.
func TestAssetsAreKeptAndPacked(t *testing.T) {
	t.Parallel()
	found := loads.FindAllStringSubmatch(get(t, "/").Body.String(), -1)
	require.NotEmpty(t, found)
	for _, match := range found {
		path := match[1]
		plain := get(t, path)
		require.Equal(t, http.StatusOK, plain.Code, path)
		assert.Equal(t, "public, max-age=31536000, immutable", plain.Header().Get("Cache-Control"))
		assert.Equal(t, "Accept-Encoding", plain.Header().Get("Vary"))

		packed := get(t, path, "Accept-Encoding", "gzip, br;q=0")
		require.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
		reader, err := gzip.NewReader(packed.Body)
		require.NoError(t, err)
		body, err := io.ReadAll(reader)
		require.NoError(t, err)
		assert.Equal(t, plain.Body.String(), string(body))

		small := get(t, path, "Accept-Encoding", "gzip, deflate, br, zstd")
		require.Equal(t, "br", small.Header().Get("Content-Encoding"))
		assert.Less(t, small.Body.Len(), plain.Body.Len()/2)
		tag := small.Header().Get("ETag")
		assert.NotEqual(t, plain.Header().Get("ETag"), tag, "a coding is a representation of its own")
		known := get(t, path, "Accept-Encoding", "br", "If-None-Match", tag)
		assert.Equal(t, http.StatusNotModified, known.Code)
		assert.Empty(t, known.Body.String())
	}
}

var scripts = regexp.MustCompile(`(?:src|href)="(/assets/[^"]+\.js)"`)

// What a shopper's first page loads in scripts is at most 120 KiB on the wire.
func TestTheFirstLoadIsSmall(t *testing.T) {
	t.Parallel()
	size := 0
	for _, match := range scripts.FindAllStringSubmatch(get(t, "/").Body.String(), -1) {
		size += get(t, match[1], "Accept-Encoding", "gzip, deflate, br").Body.Len()
	}
	t.Logf("%.1f KiB of JavaScript, as Brotli", float64(size)/1024)
	assert.NotZero(t, size)
	assert.LessOrEqual(t, size, 120<<10)
}

func TestTheManifestAndTheLicencesComeAlong(t *testing.T) {
	t.Parallel()
	var documents map[string]string
	require.NoError(t, json.Unmarshal(storefront.Documents(), &documents))
	assert.Greater(t, len(documents), 15)
	for id := range documents {
		assert.True(t, strings.HasPrefix(id, "sha256:"), id)
	}
	notices := get(t, "/THIRD-PARTY.txt").Body.String()
	for _, name := range []string{"@apollo/client 4.3.8", "react 19.3.1", "react-dom 19.3.1", "graphql 16.15.0", "rxjs 7.8.2"} {
		assert.Contains(t, notices, name)
	}
}
