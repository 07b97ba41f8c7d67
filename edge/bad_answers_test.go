package edge

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// spoiled answers everything alike, with status 200, while it is set.
type spoiled struct {
	contentType, body string
}

// behind is a sandbox behind a place where all answers can be spoiled.
func behind(t *testing.T) (*sandboxtest.Sandbox, string, *atomic.Pointer[spoiled]) {
	t.Helper()
	box := sandboxtest.Start(t)
	var bad atomic.Pointer[spoiled]
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := bad.Load()
		if now == nil {
			box.Server.Handler().ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", now.contentType)
		_, _ = io.WriteString(w, now.body)
	}))
	t.Cleanup(front.Close)
	return box, front.URL, &bad
}

// What an upstream answers with status 200 and is no answer never becomes the answer of the next
// caller, from memory: that one gets what the upstream says then.
func TestN16_AnswersThatDoNotFitAreNotCached(t *testing.T) {
	t.Parallel()
	reads := map[string]func(context.Context, commerce.Ports, commercetest.Fixture) (int, error){
		"pimcore": func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) (int, error) {
			found, err := p.Catalog.Products(ctx, f.Market, f.Products[:1])
			return len(found), err
		},
		"elasticsearch": func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) (int, error) {
			found, err := p.Search.Search(ctx, f.Market, commerce.SearchQuery{Text: f.Text, First: 5})
			if err != nil {
				return 0, err
			}
			return len(found.SKUs), nil
		},
		"odoo": func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) (int, error) {
			found, err := p.Inventory.Availability(ctx, f.Market, f.Products[:1])
			return len(found), err
		},
		"openloyalty": func(ctx context.Context, p commerce.Ports, f commercetest.Fixture) (int, error) {
			found, err := p.Customers.Customer(ctx, f.Customer)
			if err != nil {
				return 0, err
			}
			return len(found.Email), nil
		},
	}
	for name, bad := range map[string]spoiled{
		"a login page":        {"text/html", "<html><form>log in</form></html>"},
		"labelled as JSON":    {"application/json", "<html><form>log in</form></html>"},
		"nothing":             {"application/json", ""},
		"null":                {"application/json", "null"},
		"no fields":           {"application/json", "{}"},
		"cut off":             {"application/json", `{"data":{"getProductListing":{"edges":[`},
		"errors inside a 200": {"application/json", `{"errors":[{"message":"no"}],"error":{"code":500},"name":"odoo.exceptions.UserError","data":null}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box, base, spoil := behind(t)
			b, _ := open(t, append(sandboxtest.Environ(base), "PORTICO_MODE=development")...)
			for system, read := range reads {
				spoil.Store(&bad)
				found, err := read(t.Context(), b.Ports, box.Fixture())
				require.ErrorIs(t, err, commerce.ErrUpstream, system)
				assert.Zero(t, found, system)
				assert.Equal(t, commerce.ReasonBadAnswer, commerce.ReasonOf(err), system)
				spoil.Store(nil)
				found, err = read(t.Context(), b.Ports, box.Fixture())
				require.NoError(t, err, "%s answers again", system)
				assert.Positive(t, found, system)
			}
		})
	}
}
