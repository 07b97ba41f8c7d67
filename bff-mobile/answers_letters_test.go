package bffmobile

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// What is found by a request's letters is what the whole way from its token to its
// screen would have brought, whoever asked the same before.
func TestC19_LettersShowWhatTheWholeWayDoes(t *testing.T) {
	t.Parallel()
	s, c := keeping(t)
	alone := open(t)
	r := rand.New(rand.NewPCG(3, 17))
	of := func(list ...string) string { return list[r.IntN(len(list))] }
	for i := range 1_200 {
		path := of("/v1/screens/home", "/v1/screens/products/MUG-RED", "/v1/screens/products/BOWL-1", "/v1/screens/search", "/v1/screens/account", "/v1/screens/products/NO-SUCH") +
			of("", "", "?", "?width=100", "?width=%31%30%30", "?q=mug", "?width=0")
		var headers []string
		for _, values := range [][]string{
			{"Authorization", "", "", "Bearer C1", "Bearer C2", "Bearer wrong"},
			{"X-Channel", "", "us", "eu", "mars"},
			{"X-Currency", "", "EUR"},
			{"Accept-Language", "", "fr"},
			{"Cookie", "", "a=b"},
			{"X-Order-Token", "", "", "x"},
		} {
			if value := of(values[1:]...); value != "" {
				headers = append(headers, values[0], value)
			}
		}
		asked := get(path, headers...)
		want, got := alone.send(t, asked), s.send(t, asked)
		require.Equal(t, want.Status, got.Status, "%s %v", path, headers)
		if want.Status == http.StatusOK {
			require.JSONEq(t, want.Raw, got.Raw, "%s %v", path, headers)
		} else {
			require.Equal(t, want.Raw, got.Raw, "%s %v", path, headers)
		}
		signed := asked.request(t).Header.Get("Authorization") != ""
		if signed || got.Status != http.StatusOK {
			control := want.Header.Get("Cache-Control")
			if got.Status == http.StatusOK { // past the cache nothing proves it
				control = "private, no-cache"
			}
			require.Equal(t, control, got.Header.Get("Cache-Control"))
			require.Empty(t, got.Header.Get("Age")+got.Header.Get("Surrogate-Key"))
		}
		for _, name := range []string{"Content-Type", "Content-Language", "Vary", "X-Channel", "X-Currency", "X-Country", "X-Content-Type-Options"} {
			require.Equal(t, want.Header.Values(name), got.Header.Values(name), "%s: %s %v", name, path, headers)
		}
		if i%300 == 0 {
			require.NoError(t, c.Invalidate(t.Context(), commerce.TagAll))
		}
	}
	require.Greater(t, strings.Count(s.log.String(), `"answer":"hit"`), 60)
}

// A header that is too large for a proxy is a 502 for every shopper: with the largest
// Surrogate-Key that is given without being asked for, all of it is less than 4 KiB.
func TestHeadersFitAnUnconfiguredProxy(t *testing.T) {
	t.Parallel()
	cfg, err := Load([]string{"PORTICO_MODE=development"})
	require.NoError(t, err)
	s, _ := keeping(t)
	a := s.ok(t, get("/v1/screens/products/MUG-RED", "X-Request-Id", strings.Repeat("i", 64)))
	require.NotEmpty(t, a.Header.Get("Surrogate-Key"))
	a.Header.Set("Surrogate-Key", strings.Repeat("k", cfg.Cache.SurrogateKeyBytes))
	var head strings.Builder
	require.NoError(t, a.Header.Write(&head))
	require.Less(t, len("HTTP/1.1 200 OK\r\n\r\n")+head.Len(), 4096, head.String())
}
