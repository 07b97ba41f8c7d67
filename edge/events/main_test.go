package events

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/connectors/odoo"
	"github.com/portico-bff/portico/connectors/pimcore"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

func TestMain(m *testing.M) {
	// go-redis looks for a server that is gone once a second, and sees only then that its client was closed.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

const (
	secret  commerce.Secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	rotated commerce.Secret = "a secret that is no base64 at all"
)

// struck remembers what was invalidated.
type struck struct {
	mu   sync.Mutex
	tags []commerce.Tag
	err  error
	told chan struct{} // gets a value for each call, when not nil
}

func (s *struck) invalidate(_ context.Context, tags ...commerce.Tag) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.tags = append(s.tags, tags...)
	}
	if s.told != nil {
		s.told <- struct{}{}
	}
	return s.err
}

func (s *struck) all() []commerce.Tag {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]commerce.Tag(nil), s.tags...)
}

// rig is a service and what it did.
type rig struct {
	*Service
	struck *struck
	log    *commercetest.Log
}

func newRig(t *testing.T, client redis.UniversalClient) *rig {
	t.Helper()
	r := &rig{struck: &struck{}, log: &commercetest.Log{}}
	var err error
	r.Service, err = New(Config{
		Addr: "127.0.0.1:0", Secrets: []commerce.Secret{secret, rotated}, Sources: map[string]string{"urn:uuid:42": "ERP"},
	}, Deps{
		Mappers: map[string]Mapper{
			"pim": {Kind: "pimcore", Changes: pimcore.Changes}, "erp": {Kind: "odoo", Changes: odoo.Changes}, "crm": {Kind: "openloyalty"},
		},
		Invalidate: r.struck.invalidate, Redis: client, Consumer: "node-" + t.Name(),
		Log: slog.New(slog.NewJSONHandler(r.log, nil)),
	})
	require.NoError(t, err)
	return r
}

// event is a review's change in the PIM, as the sender writes it.
func event(id, sku string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"pim","type":"pimcore.dataobject.postUpdate","data":{"className":"Review","sku":%q}}`, id, sku)
}

// signedRequest is a request with body as a good sender sends it.
func signedRequest(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/events", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/cloudevents+json")
	Sign(r.Header, secret, "msg_1", time.Now(), []byte(body))
	return r
}

func (r *rig) send(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, req)
	return w
}
