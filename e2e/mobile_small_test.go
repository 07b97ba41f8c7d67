//go:build e2e

package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
)

// What a screen weighs on the way to the app, in every language, against what the systems
// sent for it when nothing was known of it.
func TestScreensAreSmall(t *testing.T) {
	t.Parallel()
	const (
		mostBytes = 8192
		mostShare = 15 // per cent of what the systems sent
		token     = "an-administrator-s-token"
	)
	s := start(t, append(patient(), "ADMIN_TOKEN="+token)...)
	a := app{t: t, s: s}
	for _, path := range []string{"/v1/screens/home", "/v1/screens/products/BK-R93R-62", "/v1/screens/search?q=helmet"} {
		a.get(path) // price lists, currencies, categories and places are known
		for _, locale := range []string{"en", "fr", "he", "th", "ar", "zh-Hant"} {
			language := []string{"Accept-Language", locale}
			r := send(t, http.MethodPost, s.MobileAdmin+"/invalidate", `{"tags":["all"]}`, "Authorization", "Bearer "+token)
			require.Equal(t, http.StatusOK, r.Status, r.Raw)
			forgetCalls(t, s)
			brotli := a.get(path, append(language, "Accept-Encoding", "br")...)
			upstream := upstreamBytes(t, s)
			require.Positive(t, upstream)
			sizes := map[string]int{"br": len(brotli.Raw)}
			for _, coding := range []string{"zstd", "gzip"} {
				sizes[coding] = len(a.get(path, append(language, "Accept-Encoding", coding)...).Raw)
			}
			plain := a.get(path, language...)
			require.Nil(t, plain.at("degraded"), plain.Raw)
			unchanged := send(t, http.MethodGet, s.Mobile+path, nil, append(language, "Accept-Encoding", "br", "If-None-Match", brotli.Header.Get("Etag"))...)
			assert.Equal(t, http.StatusNotModified, unchanged.Status, "%s in %s", path, locale)
			for coding, size := range sizes {
				assert.LessOrEqual(t, size, mostBytes, "%s in %s, %s", path, locale, coding)
				assert.LessOrEqual(t, 100*size, mostShare*upstream, "%s in %s, %s: %d of %d bytes", path, locale, coding, size, upstream)
			}
			t.Logf("%-34s %-8s raw %6d  br %5d  zstd %5d  gzip %5d  304 %d; the systems sent %7d: %.1f %% with br, %.1f %% raw", path, locale, len(plain.Raw),
				sizes["br"], sizes["zstd"], sizes["gzip"], len(unchanged.Raw), upstream, 100*float64(sizes["br"])/float64(upstream), 100*float64(len(plain.Raw))/float64(upstream))
		}
	}
}

// upstreamBytes is how much the systems have sent since their calls were forgotten.
func upstreamBytes(t *testing.T, s *stack.Stack) int {
	t.Helper()
	sum := 0
	for _, n := range send(t, http.MethodGet, s.Sandbox+"/_sandbox/bytes", nil).Body {
		sent, ok := n.(float64)
		require.True(t, ok)
		sum += int(sent)
	}
	return sum
}
