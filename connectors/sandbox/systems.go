package sandbox

import (
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/portico-bff/portico/connectors/sandbox/elasticsearch"
	"github.com/portico-bff/portico/connectors/sandbox/magento"
	"github.com/portico-bff/portico/connectors/sandbox/odoo"
	"github.com/portico-bff/portico/connectors/sandbox/openloyalty"
	"github.com/portico-bff/portico/connectors/sandbox/pimcore"
	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// system is one imitated upstream, mounted at /<name>/ with that prefix stripped.
type system struct {
	name      string
	handler   http.Handler
	operation func(r *http.Request, body []byte) string // names a call for faults and counts

	// What it tells others, as the role that it has in the demo, when the world
	// changed; nil when it says nothing by itself.
	role    string
	notices func(*world.World, world.Event) []world.Notice
}

// systems are all imitated upstreams. A new one is one line.
func systems(w *world.World) []system {
	pim := func() http.Handler { return pimcore.New(w, pimcore.Options{APIKey: pimcoreKey}) }
	index := func() http.Handler { return elasticsearch.New(w, elasticsearch.Options{APIKey: elasticsearchKey}) }
	erp := func() http.Handler { return odoo.New(w, odoo.Options{}) }
	return []system{
		{"pimcore", renewed(w, pim), pimcore.Operation, "pim", pimcore.Notices},
		{"elasticsearch", renewed(w, index), elasticsearch.Operation, "search", elasticsearch.Notices},
		{"odoo", renewed(w, erp), odoo.Operation, "erp", odoo.Notices},
		{"openloyalty", openloyalty.New(w, openloyalty.Options{APIKey: openLoyaltyKey}), openloyalty.Operation, "crm", nil},
		{"magento", magento.New(w, magento.Options{}), magento.Operation, "checkout", magento.Notices},
	}
}

// renewed is a dialect that keeps nothing but what it made of the catalog, and is
// made anew when that changed.
func renewed(w *world.World, dialect func() http.Handler) http.Handler {
	var current atomic.Pointer[http.Handler]
	var one sync.Mutex // so that of two at once the later, which knows both changes, stays
	renew := func() {
		one.Lock()
		defer one.Unlock()
		handler := dialect()
		current.Store(&handler)
	}
	renew()
	w.OnCatalog(renew)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { (*current.Load()).ServeHTTP(rw, r) })
}
