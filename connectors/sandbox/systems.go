package sandbox

import (
	"net/http"

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
}

// systems are all imitated upstreams. A new one is one line.
func systems(w *world.World) []system {
	return []system{
		{"pimcore", pimcore.New(w, pimcore.Options{APIKey: pimcoreKey}), pimcore.Operation},
		{"elasticsearch", elasticsearch.New(w, elasticsearch.Options{APIKey: elasticsearchKey}), elasticsearch.Operation},
		{"odoo", odoo.New(w, odoo.Options{}), odoo.Operation},
		{"openloyalty", openloyalty.New(w, openloyalty.Options{APIKey: openLoyaltyKey}), openloyalty.Operation},
		{"magento", magento.New(w, magento.Options{}), magento.Operation},
	}
}
