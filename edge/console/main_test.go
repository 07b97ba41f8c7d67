package console

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every part is served, under the page's policy, and names nothing elsewhere.
func TestThePageIsInTheBinary(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	Mount(mux)
	files, err := fs.ReadDir(embedded, "assets")
	require.NoError(t, err)
	assert.Len(t, parts, len(files))
	for path := range parts {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		assert.Equal(t, http.StatusOK, w.Code, path)
		assert.Equal(t, policy, w.Header().Get("Content-Security-Policy"))
		assert.NotContains(t, strings.ReplaceAll(w.Body.String(), "http://www.w3.org/2000/svg", ""), "http", path)
		assert.NotContains(t, w.Body.String(), "innerHTML", path)
		w = httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, nil))
		assert.Equal(t, http.StatusMethodNotAllowed, w.Code, path)
	}
}
