package stack_test

import (
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The demo's documents can be asked for, and are nowhere on the disk: a demo that is
// killed has nothing to clear away.
func TestTheDemosDocumentsLeaveNothingBehind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := start(t)
	query := url.Values{
		"documentId": {"sha256:7f031336653abdf1b733ce52f36c57b0582b931c14f87c68d20b82304c032b3c"}, "variables": {`{"sku":"BK-R93R-62"}`},
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Web+"/graphql?"+query.Encode(), nil)
	require.NoError(t, err)
	assert.Contains(t, read(t, request), `"product":{`)
	request, err = http.NewRequestWithContext(t.Context(), http.MethodGet, s.WebAdmin+"/documents", nil)
	require.NoError(t, err)
	page := read(t, request)
	assert.Contains(t, page, "demo-shop")
	assert.Contains(t, page, "1.0.0")
	assert.Contains(t, page, "1.1.0")

	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}
