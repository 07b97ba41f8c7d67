//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
)

// webRights are what the guides give to the web channel's user for shared budgets and for
// published documents, and to whoever publishes these.
func webRights(t *testing.T) (budgets, documents, publisher []string) {
	t.Helper()
	caching, err := os.ReadFile("../docs/caching.md")
	require.NoError(t, err)
	web, err := os.ReadFile("../docs/web.md")
	require.NoError(t, err)
	shared := regexp.MustCompile("share need `([^`]+)`").FindSubmatch(caching)
	require.NotNil(t, shared)
	read := regexp.MustCompile("published in Redis `([^`]+)` with `([^`]+)`").FindSubmatch(caching)
	require.NotNil(t, read)
	written := regexp.MustCompile("its own Redis user \\(`([^`]+)`\\)").FindSubmatch(web)
	require.NotNil(t, written)
	return strings.Fields(string(shared[1])), strings.Fields(string(read[1]) + " " + string(read[2])), strings.Fields(string(written[1]))
}

// With the rights that the guides list two processes share a budget and take published
// documents, from a user who can do nothing but publish; each right is needed, and Redis
// refuses nothing.
func TestW10_TheGuidesRightsAreEnoughForBudgetsAndDocuments(t *testing.T) {
	t.Parallel()
	s := start(t)
	at := free(t, 1)[0]
	server := serve(t, at, plainArgs(t, at)...)
	budgets, documents, publisher := webRights(t)
	server.permit(append(budgets, documents...)...)
	line := []any{"ACL", "SETUSER", "builder", "reset", "resetchannels", "on", ">" + redisPassword}
	for _, word := range publisher {
		line = append(line, word)
	}
	require.NoError(t, server.client.Do(t.Context(), line...).Err())
	builder := redis.NewClient(&redis.Options{Addr: at, Username: "builder", Password: redisPassword, DisableIdentity: true, Protocol: 2})
	t.Cleanup(func() { _ = builder.Close() })

	const guess = `mutation Guess { cartCouponApply(input: {cartId: \"g_none\", code: \"X\"}) { userErrors { code } } }`
	id, manifest := hashed(t, strings.ReplaceAll(guess, `\"`, `"`))
	manifest = strings.ReplaceAll(manifest, strings.ReplaceAll(guess, `\"`, `"`), guess)
	one, other := limitedProcess(t, s.Sandbox, asPortico("redis://"+at)), limitedProcess(t, s.Sandbox, asPortico("redis://"+at))
	require.NoError(t, builder.HSet(t.Context(), "{portico:documents}:manifests", "shop/1", manifest).Err())
	require.NoError(t, builder.Incr(t.Context(), "{portico:documents}:version").Err())
	ask := func(base string) reply {
		return send(t, http.MethodPost, base+"/graphql", `{"documentId":"`+id+`"}`)
	}
	through := 0
	for _, base := range []string{one, other} {
		require.Eventually(t, func() bool {
			r := ask(base)
			if r.Status == http.StatusOK {
				through++
			}
			return r.Status == http.StatusTooManyRequests || r.Status == http.StatusOK
		}, time.Minute, 20*time.Millisecond, "the document is published")
	}
	for _, base := range []string{one, other} {
		for range 12 {
			if ask(base).Status == http.StatusOK {
				through++
			}
		}
		assert.Equal(t, http.StatusTooManyRequests, ask(base).Status)
	}
	assert.InDelta(t, 12, through, 4, "it is one budget: two would be 24")

	denied, err := server.client.ACLLog(t.Context(), 100).Result()
	require.NoError(t, err)
	assert.Empty(t, denied, "nothing was refused")
	used := server.client.Info(t.Context(), "commandstats").Val()
	for _, right := range append(documents, publisher...) {
		if command, ok := strings.CutPrefix(right, "+"); ok && command != "hdel" { // withdraws
			assert.Contains(t, used, "cmdstat_"+command+":", "%s is needed", right)
		}
	}
	require.NoError(t, builder.HDel(t.Context(), "{portico:documents}:manifests", "shop/1").Err())
	for _, forbidden := range []*redis.Cmd{
		builder.Do(t.Context(), "HGET", "{portico:documents}:manifests", "shop/1"),
		builder.Do(t.Context(), "INCR", "portico:x"),
		builder.Do(t.Context(), "HSET", "rate:portico:x", "a", "b"),
		builder.Do(t.Context(), "FLUSHALL"),
	} {
		assert.ErrorContains(t, forbidden.Err(), "NOPERM", forbidden.Args())
	}
	keys := server.client.Keys(t.Context(), "*").Val()
	for _, key := range keys {
		assert.Regexp(t, `^(portico:|rate:portico:|\{portico:documents\}:)`, key)
	}
	assert.Contains(t, strings.Join(keys, " "), "rate:portico:")
}

// limitedProcess is bff-web in production, with documents from Redis and 12 coupons a
// minute for an address.
func limitedProcess(t *testing.T, systems, redisURL string) (base string) {
	t.Helper()
	addr := free(t, 2)
	cmd := exec.Command(build(t, "./bff-web/cmd/bff-web"))
	cmd.Env = append(sandbox.Environ(systems), "PORTICO_MODE=production", "LOG_LEVEL=error", "ORDER_TOKEN_KEY=0123456789abcdef0123456789abcdef",
		"WEB_ADDR="+addr[0], "WEB_ADMIN_ADDR="+addr[1], redisURL, "WEB_DOCUMENTS_REDIS=true", "WEB_DOCUMENTS_POLL=100ms",
		"RATE_LIMIT_EXEMPT=none", "RATE_LIMIT_ADDRESS_COUPONS=12")
	var out printed
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		assert.NoError(t, cmd.Wait(), out.String())
	})
	await(t, "http://"+addr[1]+"/readyz")
	return "http://" + addr[0]
}
