package documents

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sdl = `type Query { product(sku: String!): Product, categories: [Product!] } type Product { sku: String!, name: String, related: [Product!] }`

// shopRules hold documents to a small schema. What has the word Tall asks for too much.
func shopRules(t testing.TB) Rules {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: sdl})
	require.NoError(t, err)
	return Rules{Schema: schema, Tokens: 1000, Limit: func(text string) *gqlerror.Error {
		if strings.Contains(text, "Tall") {
			return gqlerror.Errorf("depth 7 exceeds 6")
		}
		return nil
	}}
}

// Documents that fit.
const (
	productText    = `query Product($sku: String!) { product(sku: $sku) { name } }`
	categoriesText = `query Categories { categories { sku } }`
	namelessText   = `{ categories { name } }`
)

// id names a text by its hash.
func id(text string) string {
	sum := sha256.Sum256([]byte(text))
	return prefix + hex.EncodeToString(sum[:])
}

// manifestOf is texts by their ids, as JSON.
func manifestOf(t testing.TB, texts ...string) []byte {
	t.Helper()
	all := map[string]string{}
	for _, text := range texts {
		all[id(text)] = text
	}
	data, err := json.Marshal(all)
	require.NoError(t, err)
	return data
}

// put writes a manifest as publishing does: whole, and then in its place.
func put(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path+".new", data, 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

// over opens a store over a directory.
func over(t testing.TB, dir string) *Store {
	t.Helper()
	return opened(t, Config{Dir: dir, Poll: rarely}, Deps{})
}

// rarely is an interval at which no test sees a source being read on its own.
const rarely = 1 << 40

func opened(t testing.TB, cfg Config, deps Deps) *Store {
	t.Helper()
	deps.Rules = shopRules(t)
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	s, err := Open(t.Context(), cfg, deps)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}
