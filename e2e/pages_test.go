//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Both pages are drawn by a real browser that can reach nothing but this machine.
func TestPagesAreDrawnOffline(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, page := range map[string]struct {
		url  string
		want []string
	}{
		"GraphiQL":   {s.Web + "/graphql", []string{"graphiql-container", "CodeMirror"}},
		"Swagger UI": {s.Mobile + "/docs", []string{"swagger-ui", "/v1/screens/products/{sku}", "Idempotency-Key"}},
	} {
		t.Run(name, func(t *testing.T) {
			dom := drawn(t, page.url)
			for _, text := range page.want {
				assert.Contains(t, dom, text)
			}
		})
	}
}

// drawn is the page's DOM once its scripts have run.
func drawn(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(),
		"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--virtual-time-budget=8000", "--dump-dom", url)
	out, err := cmd.Output()
	require.NoError(t, err, "chromium is needed: apt-get install chromium")
	return string(out)
}
