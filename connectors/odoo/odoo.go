// Package odoo speaks Odoo's JSON-2 API (release 19 and later) for prices, stock,
// the history of orders and invoices.
//
// Prices are computed here: a release that answers customers' prices for several
// products at once does not exist, so the rules of a price list are read once and
// evaluated as Odoo documents it. Rules, currencies, categories and which record a
// SKU means are reference data, kept for a minute or until an event says that they
// changed; a call for prices or stock then costs one request for each hundred products.
// Lists, currencies, categories and locations that are in use are read anew before their time
// is over, so that no call waits for them. Prices read the products each time, stock those whose
// records are not known, at the same time as their stock: when prices and stock are asked for at
// the same moment, products are read once.
//
// A default_code is not unique in Odoo. Of several records the active one with the
// lowest id is the product; archived records are never asked for.
package odoo

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/connectors/reference"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// System is the kind's name in configuration, errors and reports.
const System = "odoo"

// Config says how to reach an Odoo server and as whom.
type Config struct {
	transport.Config // BaseURL is the server's root, above /json/2

	APIKey     commerce.Secret   `env:"API_KEY,required,notEmpty" doc:"API key of the user that reads; expires after three months at most."`
	Database   string            `env:"DATABASE" doc:"Database to use, where the server has several."`
	IDClaim    string            `env:"ID_CLAIM" envDefault:"email" doc:"Token claim that holds the customer's partner id; email looks the verified e-mail address up instead."`
	PriceLists map[string]string `env:"PRICELISTS" envDefault:"retail:USD=1,retail:EUR=2,retail:GBP=3,wholesale:USD=4,wholesale:EUR=5,wholesale:GBP=6" envKeyValSeparator:"=" doc:"Price list of each price group and currency, as group:CURRENCY=id pairs."`
}

// defaultPriceLists is what the tag of PriceLists says, for callers without an environment.
var defaultPriceLists = map[string]string{
	"retail:USD": "1", "retail:EUR": "2", "retail:GBP": "3",
	"wholesale:USD": "4", "wholesale:EUR": "5", "wholesale:GBP": "6",
}

// traits is what is known of each operation. Each is a read although it is a POST.
var traits = map[commerce.Operation]commerce.Traits{
	commerce.OpPrices:       {Access: commerce.Read, Scope: commerce.ScopeSegment},
	commerce.OpAvailability: {Access: commerce.Read, Scope: commerce.ScopePublic},
	commerce.OpOrders:       {Access: commerce.Read, Scope: commerce.ScopeCustomer},
	commerce.OpOrder:        {Access: commerce.Read, Scope: commerce.ScopeCustomer},
	commerce.OpGuestOrder:   {Access: commerce.Read, Scope: commerce.ScopeSession},
	commerce.OpInvoices:     {Access: commerce.Read, Scope: commerce.ScopeCustomer},
}

// Traits answers what the kind knows of its operations.
func Traits() map[commerce.Operation]commerce.Traits {
	table := make(map[commerce.Operation]commerce.Traits, len(traits))
	for op := range traits {
		table[op] = traitsOf(op)
	}
	return table
}

func traitsOf(op commerce.Operation) commerce.Traits {
	t := traits[op]
	t.System, t.Operation = System, op
	return t
}

// connector implements the ERP's ports.
type connector struct {
	client     *transport.Client
	header     http.Header
	priceLists map[listKey]recordID
	now        func() time.Time

	products   *reference.Cache[commerce.SKU, *priced]
	productIDs *reference.Cache[recordID, called]
	lists      *reference.Cache[recordID, *priceList]
	rates      *reference.Cache[string, map[string]string]
	categories *reference.Cache[string, categoryTree]
	locations  *reference.Cache[recordID, string]
	partners   *reference.Customers[recordID]
	orderRefs  *reference.Cache[string, commerce.OrderNumber]
}

// How long reference data is kept, and how much of it.
const (
	referenceTTL = time.Minute
	aheadOf      = referenceTTL / 2 // what every call needs is read anew so long before its time is over
	partnerTTL   = 10 * time.Minute

	// A product takes a fifth of a kilobyte, whether its minute is over or not, and as much
	// again until garbage is collected; of customers and orders little more than a number is kept.
	maxProducts = 10_000
	maxNumbers  = 50_000
)

// New makes the ports Pricing, Inventory, OrderHistory and Invoices of the server
// at cfg.BaseURL. It makes no call. Empty PriceLists and IDClaim mean the defaults
// that their tags name.
func New(cfg Config, deps transport.Deps) (commerce.Ports, error) {
	c, err := newConnector(cfg, deps)
	if err != nil {
		return commerce.Ports{}, err
	}
	return commerce.Ports{Pricing: c, Inventory: c, OrderHistory: c, Invoices: c, Traits: Traits()}, nil
}

func newConnector(cfg Config, deps transport.Deps) (*connector, error) {
	if len(cfg.PriceLists) == 0 {
		cfg.PriceLists = defaultPriceLists
	}
	lists, err := parsePriceLists(cfg.PriceLists)
	if cfg.APIKey == "" {
		err = errors.Join(err, transport.BadSetting("API_KEY", "must not be empty"))
	}
	sign := func(r *http.Request) error {
		r.Header.Set("Authorization", "bearer "+string(cfg.APIKey))
		return nil
	}
	client, failed := transport.New(System, cfg.Config, sign, deps)
	if err = errors.Join(failed, err); err != nil {
		return nil, err
	}
	c := &connector{client: client, header: http.Header{"Content-Type": {"application/json"}}, priceLists: lists, now: time.Now}
	if cfg.Database != "" {
		c.header.Set("X-Odoo-Database", cfg.Database)
	}
	c.openReferences(cfg.IDClaim, deps.Invalidations)
	return c, nil
}

func (c *connector) openReferences(idClaim string, invalidations commerce.Invalidations) {
	kept := func(name string, entries int, tags ...commerce.Tag) reference.Config {
		return reference.Config{
			Name: "odoo " + name, TTL: referenceTTL, MaxEntries: entries, Invalidations: invalidations, System: System, Tags: tags,
		}
	}
	bySKU := kept("products by SKU", maxProducts, tagRecords)
	bySKU.KeyTags = []string{kindRecord, "sku"}
	// Prices take from it what is being read, too.
	bySKU.AnewTags, bySKU.AnewKeyTags = []commerce.Tag{commerce.TagOperation(commerce.OpPrices)}, []string{"price"}
	partners := kept("partners", maxNumbers, tagPartners)
	partners.TTL = partnerTTL
	prices := commerce.TagOperation(commerce.OpPrices)
	ahead := func(cfg reference.Config) reference.Config { cfg.Ahead = aheadOf; return cfg }
	c.products = reference.New[commerce.SKU, *priced](bySKU)
	c.productIDs = reference.New[recordID, called](kept("products by id", maxProducts, tagProducts))
	c.lists = reference.New[recordID, *priceList](ahead(kept("price lists", 1_000, prices)))
	c.rates = reference.New[string, map[string]string](ahead(kept("currencies", 1, prices)))
	c.categories = reference.New[string, categoryTree](ahead(kept("categories", 1, prices)))
	c.locations = reference.New[recordID, string](ahead(kept("locations", 10_000, tagLocations)))
	c.partners = reference.NewCustomers(partners, idClaim, partnerID)
	c.orderRefs = reference.New[string, commerce.OrderNumber](kept("order references", maxNumbers, tagOrders))
}

// listKey is what a price list is chosen by.
type listKey struct {
	group    commerce.PriceGroup
	currency string
}

// parsePriceLists reads "group:CURRENCY" → id and reports every bad pair at once.
func parsePriceLists(pairs map[string]string) (map[listKey]recordID, error) {
	lists := make(map[listKey]recordID, len(pairs))
	var errs []error
	for pair, text := range pairs {
		group, code, ok := strings.Cut(pair, ":")
		id, err := strconv.ParseInt(text, 10, 64)
		if !ok || group == "" || !commerce.IsCurrency(code) || err != nil || id < 1 {
			errs = append(errs, transport.BadSetting("PRICELISTS", fmt.Sprintf("%q must be group:CURRENCY=id", pair+"="+text)))
			continue
		}
		lists[listKey{commerce.PriceGroup(group), code}] = recordID(id)
	}
	return lists, errors.Join(errs...)
}
