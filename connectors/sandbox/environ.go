package sandbox

// The credentials that every imitated system accepts. They open nothing else.
const (
	pimcoreKey       = "sandbox-pimcore-key"
	elasticsearchKey = "c2FuZGJveDpzZWNyZXQ="
	odooKey          = "sandbox-odoo-key"
	openLoyaltyKey   = "sandbox-loyalty-key"
	magentoConsumer  = "sandbox-consumer"
	magentoToken     = "sandbox-token"
	// Issuer and Audience of the tokens that the sandbox signs.
	Issuer   = "https://sandbox.portico.invalid"
	Audience = "portico"
)

// Thumbnails are sizes that suit the pictures of apps, as PIM_THUMBNAILS takes them.
const Thumbnails = "w160=160,w240=240,w320=320,w480=480,w640=640,w960=960"

// Environ is the configuration, as KEY=VALUE, that points a channel at the sandbox
// at base ("http://127.0.0.1:8090").
func Environ(base string) []string {
	return []string{
		"JWT_ISSUER=" + Issuer,
		"JWT_AUDIENCE=" + Audience,
		"JWKS_URL=" + base + "/_sandbox/jwks.json",
		"PIM_KIND=pimcore",
		"PIM_BASE_URL=" + base + "/pimcore",
		"PIM_API_KEY=" + pimcoreKey,
		"PIM_ALLOW_PRIVATE=true",
		"SEARCH_KIND=elasticsearch",
		"SEARCH_BASE_URL=" + base + "/elasticsearch",
		"SEARCH_API_KEY=" + elasticsearchKey,
		"SEARCH_ALLOW_PRIVATE=true",
		"ERP_KIND=odoo",
		"ERP_BASE_URL=" + base + "/odoo",
		"ERP_API_KEY=" + odooKey,
		"ERP_ALLOW_PRIVATE=true",
		"CRM_KIND=openloyalty",
		"CRM_BASE_URL=" + base + "/openloyalty",
		"CRM_API_KEY=" + openLoyaltyKey,
		"CRM_ALLOW_PRIVATE=true",
		"CHECKOUT_KIND=magento",
		"CHECKOUT_BASE_URL=" + base + "/magento",
		"CHECKOUT_CONSUMER_KEY=" + magentoConsumer,
		"CHECKOUT_CONSUMER_SECRET=" + magentoConsumer + "-secret",
		"CHECKOUT_TOKEN=" + magentoToken,
		"CHECKOUT_TOKEN_SECRET=" + magentoToken + "-secret",
		"CHECKOUT_ALLOW_PRIVATE=true",
	}
}
