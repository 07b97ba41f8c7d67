package graphhttp

import (
	"context"
	"encoding/json"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/schema/commerce"
)

// parses counts what the executor has parsed: whatever its cache does not know.
type parses struct {
	graphql.Cache[*ast.QueryDocument]
	texts []string
}

func (p *parses) Get(ctx context.Context, text string) (*ast.QueryDocument, bool) {
	d, known := p.Cache.Get(ctx, text)
	if !known {
		p.texts = append(p.texts, text)
	}
	return d, known
}

// TestW1_NothingIsParsedButWhatIsPublished counts the parser's calls: none for what is
// refused, and none for what is published, which was parsed when it was loaded. In open
// mode the same text is parsed, so that the count is one that counts.
func TestW1_NothingIsParsedButWhatIsPublished(t *testing.T) {
	t.Parallel()
	const text = `query Types { __typename }`
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "shop"), 0o755))
	data, err := json.Marshal(map[string]string{"types": text})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "shop", "1.json"), data, 0o600))
	es := generated.NewExecutableSchema(generated.Config{})
	post := func(open bool, body string) (status int, parsed []string) {
		store, err := documents.Open(t.Context(), documents.Config{Dir: dir, Poll: time.Hour, Open: open}, documents.Deps{
			Rules: documents.Rules{Schema: es.Schema(), Tokens: DefaultLimits.Tokens, Limit: DefaultLimits.Check}, Log: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		defer store.Close()
		counted := &parses{Cache: Queries{lru.New[*ast.QueryDocument](10)}}
		exec := executor.New(es)
		exec.SetQueryCache(counted)
		transport := Transport{
			Schema: es.Schema(), Limits: DefaultLimits, Checked: lru.New[bool](10), Documents: store,
			Group: func(commerce.Market, commerce.Principal) commerce.PriceGroup { return "" },
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		transport.Handler(exec).ServeHTTP(w, r)
		return w.Code, counted.texts
	}
	for body, want := range map[string]int{
		`{"documentId":"types"}`:                       http.StatusOK,
		`{"documentId":"none"}`:                        http.StatusBadRequest,
		`{"query":"query Types { __typename }"}`:       http.StatusBadRequest,
		`{"query":"{ ("}`:                              http.StatusBadRequest,
		`{"query":"{a}","documentId":"types"}`:         http.StatusBadRequest,
		`{"documentId":"types","operationName":"Not"}`: http.StatusOK, // a request error, in plain JSON
		`{"query":"{a}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + strings.Repeat("0", 64) + `"}}}`: http.StatusBadRequest,
		`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + strings.Repeat("0", 64) + `"}}}`:               http.StatusBadRequest,
	} {
		status, parsed := post(false, body)
		assert.Equal(t, want, status, body)
		assert.Empty(t, parsed, body)
	}
	status, parsed := post(true, `{"query":"query Types { __typename }"}`)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, []string{text}, parsed)
}

// TestW1_NobodyElseParses holds that the count above counts all: beside the executor,
// the parser is known to whoever loads documents, and to who names what is wrong with a
// text that the executor has parsed and refused.
func TestW1_NobodyElseParses(t *testing.T) {
	t.Parallel()
	allowed := map[string]bool{"internal/documents/document.go": true, "internal/graphhttp/naming.go": true}
	root := os.DirFS("../..")
	require.NoError(t, fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range file.Imports {
			parses := i.Path.Value == `"github.com/vektah/gqlparser/v2/parser"` || i.Path.Value == `"github.com/vektah/gqlparser/v2"`
			generated := strings.HasSuffix(path, ".generated.go") // of the schema, once
			assert.False(t, parses && !allowed[path] && !generated, path)
		}
		return nil
	}))
}
