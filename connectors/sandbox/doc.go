// Package sandbox imitates every upstream in its own dialect over one shared
// [world.World], and lets faults be set while it runs. It is a set of
// [http.Handler]s first (tests use httptest) and a binary second.
//
// The systems are at /pimcore, /elasticsearch, /odoo, /openloyalty and /magento.
// Control is below /_sandbox/, in JSON:
//
//	POST   /_sandbox/faults          a [Fault], put in force; errorRate left out with a mode or status means 1
//	GET    /_sandbox/faults          the rules in force, oldest first
//	DELETE /_sandbox/faults          none any more
//	GET    /_sandbox/calls           system → operation → calls as they arrived
//	DELETE /_sandbox/calls           counts from zero, bytes too
//	GET    /_sandbox/bytes           system → bytes of answers
//	POST   /_sandbox/world           {"sku":"BK-R93R-62","price":"1199.00","stock":5,"name":"…","state":"unpublished"}, all but sku optional: changed for all
//	                                 systems, but for the state (published, unpublished, deleted), which is the PIM's
//	                                 or {"group":"wholesale","percentOff":20}: another discount
//	                                 or {"page":"home","language":"fr","title":"…","body":"…","state":"published"}, all but page optional
//	                                 or {"category":"101","name":"…"}; systems tell what they know, signed
//	POST   /_sandbox/reset           world, faults and counts as at the start
//	POST   /_sandbox/token           {"customer":"AW00011000"} → {"token":"…"}, a JWT (RS256, one hour)
//	GET    /_sandbox/jwks.json       the key that verifies it
//	GET    /_sandbox/customers       some customers to try
//	GET    /_sandbox/healthz         {"status":"ok"}
//
// Once told where (SANDBOX_EVENTS_URL), the systems send signed CloudEvents of what
// changed, each in its own words: the PIM of texts and what it publishes, the ERP of prices and stock, the
// shop of products and orders, the indexer of what it can find.
package sandbox
