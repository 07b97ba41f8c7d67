//go:build e2e

package e2e

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Apollo Client's own handler merges what the binary sends in parts into what it sends at once,
// whatever is asked for, while the systems take different times to answer.
func TestApolloClientReadsParts(t *testing.T) {
	t.Parallel()
	s := start(t)
	for system, ms := range map[string]int{"odoo": 60, "pimcore": 20} {
		fault(t, s, map[string]any{"system": system, "operation": "*", "latencyMs": ms, "errorRate": 0})
	}
	_, base := webProcess(t, s.Sandbox, append(patient(), "WEB_QUERY_CALLS=0")...)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "check.mjs", base+"/graphql", "40", "7")
	cmd.Dir = "parts"
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	t.Log(string(out))
}

// With the ERP at two seconds a product page has its name, picture and description long before
// the price, which comes by itself. Nothing is set for that.
func TestAProductPageDoesNotWaitForASlowERP(t *testing.T) {
	t.Parallel()
	s := start(t)
	_, base := webProcess(t, s.Sandbox)
	warm := send(t, http.MethodPost, base+"/graphql", map[string]any{"query": `{product(sku:"HL-U509-R"){price{unit{amount}}}}`})
	require.NotNil(t, warm.at("data", "product", "price"), warm.Raw) // price lists and currencies are read once
	fault(t, s, map[string]any{"system": "odoo", "operation": "*", "latencyMs": 2000, "jitter": "none", "errorRate": 0})
	const query = `{"query":"{product(sku:\"BK-R93R-62\"){name description images(width:800){url} ...@defer(label:\"price\"){price{unit{amount}}}}}"}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/graphql", strings.NewReader(query))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "multipart/mixed;deferSpec=20220824")
	began := time.Now()
	answer, err := client.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	mediaType, params, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	require.NoError(t, err)
	if mediaType != "multipart/mixed" {
		text, _ := io.ReadAll(answer.Body)
		require.Equal(t, "multipart/mixed", mediaType, string(text))
	}
	parts := multipart.NewReader(answer.Body, params["boundary"])
	var texts []string
	var took []time.Duration
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		text, err := io.ReadAll(part)
		require.NoError(t, err)
		texts, took = append(texts, string(text)), append(took, time.Since(began))
	}
	t.Log(took, texts)
	require.Len(t, texts, 2)
	assert.Contains(t, texts[0], `"name":"Road-150 Red, 62"`)
	assert.NotContains(t, texts[0], "price")
	assert.Contains(t, texts[1], `"unit":{"amount":"3578.27"}`)
	assert.Contains(t, texts[1], `"hasNext":false`)
	assert.Greater(t, took[1]-took[0], time.Second, "the first part waited for the ERP")
}
