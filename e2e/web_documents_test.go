//go:build e2e

package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
)

// hashed is a manifest of one document, and its id.
func hashed(t *testing.T, text string) (id, manifest string) {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	id = "sha256:" + hex.EncodeToString(sum[:])
	return id, `{"` + id + `": "` + text + `"}`
}

// publishDocuments puts a manifest into Redis as docs/web.md says.
func publishDocuments(t *testing.T, client *redis.Client, name, manifest string) {
	t.Helper()
	_, err := client.TxPipelined(t.Context(), func(p redis.Pipeliner) error {
		p.HSet(t.Context(), "{portico:documents}:manifests", name, manifest)
		p.Incr(t.Context(), "{portico:documents}:version")
		return nil
	})
	require.NoError(t, err)
}

// A production process takes what is published in a real Redis: it may start before
// anything is, before Redis even, follows what is published without a restart, and
// answers on when Redis is gone.
func TestW1_DocumentsComeFromRedis(t *testing.T) {
	t.Parallel()
	s := start(t)
	server := newRedis(t)
	addr := free(t, 2)
	cmd := exec.Command(build(t, "./bff-web/cmd/bff-web"))
	cmd.Env = append(sandbox.Environ(s.Sandbox), "PORTICO_MODE=production", "LOG_LEVEL=error", "ORDER_TOKEN_KEY=0123456789abcdef0123456789abcdef",
		"WEB_ADDR="+addr[0], "WEB_ADMIN_ADDR="+addr[1], "REDIS_URL="+server.url(), "WEB_DOCUMENTS_REDIS=true", "WEB_DOCUMENTS_POLL=100ms")
	var out printed
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		assert.NoError(t, cmd.Wait(), out.String())
	})
	first, firstManifest := hashed(t, "query First { categories { name } }")
	second, secondManifest := hashed(t, "query Second { categories { id } }")
	ask := func(id string) reply {
		return send(t, http.MethodGet, "http://"+addr[0]+"/graphql?documentId="+id, nil, "X-Client-Name", "shop", "X-Client-Version", "1")
	}
	becomes := func(id string, status int) {
		t.Helper()
		require.Eventually(t, func() bool { return ask(id).Status == status }, time.Minute, 20*time.Millisecond, "%s: %s", id, out.String())
	}
	await(t, "http://"+addr[1]+"/healthz")
	refused := ask(first)
	assert.Equal(t, http.StatusServiceUnavailable, refused.Status, refused.Raw)
	assert.Equal(t, http.StatusServiceUnavailable, send(t, http.MethodGet, "http://"+addr[1]+"/readyz", nil).Status)

	server.start()
	client := server.client()
	defer func() { _ = client.Close() }()
	await(t, "http://"+addr[1]+"/readyz")
	becomes(first, http.StatusBadRequest)
	assert.Equal(t, "DOCUMENT_UNKNOWN", ask(first).text("errors", 0, "extensions", "code"))
	publishDocuments(t, client, "shop/1", firstManifest)
	becomes(first, http.StatusOK)
	publishDocuments(t, client, "shop/2", secondManifest)
	becomes(second, http.StatusOK)
	publishDocuments(t, client, "shop/2", "{broken")
	require.Eventually(t, func() bool {
		return send(t, http.MethodGet, "http://"+addr[1]+"/documents", nil).text("problems", 0, "file") == "shop/2.json"
	}, time.Minute, 20*time.Millisecond)
	assert.Equal(t, http.StatusOK, ask(second).Status, "the last good one stays")

	server.stop()
	require.Eventually(t, func() bool {
		return send(t, http.MethodGet, "http://"+addr[1]+"/documents", nil).text("sources", 0, "problem") != ""
	}, time.Minute, 20*time.Millisecond)
	assert.Equal(t, http.StatusOK, ask(first).Status)
	text := send(t, http.MethodPost, "http://"+addr[0]+"/graphql", `{"query":"{__typename}"}`)
	assert.Equal(t, http.StatusBadRequest, text.Status)
	assert.Equal(t, "DOCUMENT_REQUIRED", text.text("errors", 0, "extensions", "code"))
	page := send(t, http.MethodGet, "http://"+addr[1]+"/documents", nil)
	assert.Equal(t, "First", page.text("manifests", 0, "used", 0, "name"), page.Raw)

	server.start() // empty
	publishDocuments(t, client, "shop/3", secondManifest)
	becomes(first, http.StatusBadRequest)
	assert.Equal(t, http.StatusOK, ask(second).Status)
}

// The demo answers by id what its greeting shows, beside free text.
func TestTheDemoAnswersByID(t *testing.T) {
	t.Parallel()
	s := start(t)
	page := send(t, http.MethodGet, s.WebAdmin+"/documents", nil)
	require.Equal(t, http.StatusOK, page.Status, page.Raw)
	assert.Equal(t, "open", page.text("mode"))
	assert.Empty(t, page.list("problems"), page.Raw)
	assert.Len(t, page.list("manifests"), 3, "two of the greeting's, and the storefront's")
	id, _ := hashed(t, "query Categories { categories { id name } }")
	r := send(t, http.MethodPost, s.Web+"/graphql", map[string]string{"documentId": id})
	assert.Equal(t, http.StatusOK, r.Status, r.Raw)
	assert.NotEmpty(t, r.text("data", "categories", 0, "name"), r.Raw)
}
