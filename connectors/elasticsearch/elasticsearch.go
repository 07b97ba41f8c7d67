// Package elasticsearch searches a product index in Elasticsearch. It offers the
// port Search: a text over weighted fields, filters, facets and sorting, in one
// call per search. The index's document model is configuration; the defaults are
// those of the sandbox.
//
// Counts of a chosen facet are those without its own choices: choices go into
// post_filter, and into a filter aggregation around every other facet.
package elasticsearch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

const system = "elasticsearch"

// Config is an index's settings. In field names, {language} and {currency} stand for the market's.
type Config struct {
	transport.Config
	APIKey        commerce.Secret `env:"API_KEY,required,notEmpty" doc:"Encoded API key (base64 of id:key), sent as Authorization: ApiKey."`
	Index         string          `env:"INDEX" envDefault:"products" doc:"Index or alias that holds one document for each product."`
	Languages     []string        `env:"LANGUAGES" envDefault:"en,fr,he,th,ar,zh-Hant" doc:"Languages of the index, the default first; locale=language where the index's name differs from BCP 47."`
	Currencies    []string        `env:"CURRENCIES" envDefault:"USD,EUR,GBP" doc:"Currencies that prices are indexed in."`
	TextFields    []string        `env:"TEXT_FIELDS" envDefault:"name^3,category_names^2,brand.text,color.text,description.{language}" doc:"Analyzed fields that a search text is looked for in, with their weights."`
	SKUTextField  string          `env:"SKU_TEXT_FIELD" envDefault:"sku.search" doc:"Keyword field that a whole search text is compared with, normalized to lower case."`
	SKUField      string          `env:"SKU_FIELD" envDefault:"sku" doc:"Keyword field with the SKU, which also breaks ties."`
	NameField     string          `env:"NAME_FIELD" envDefault:"name.sort" doc:"Keyword field to sort by name."`
	PriceField    string          `env:"PRICE_FIELD" envDefault:"price.{currency}" doc:"Number field with the list price."`
	NewestField   string          `env:"NEWEST_FIELD" envDefault:"sell_start" doc:"Date field to sort the newest first."`
	CategoryField string          `env:"CATEGORY_FIELD" envDefault:"category_ids" doc:"Keyword field with the ids of a product's category and of those above it."`
	StockField    string          `env:"STOCK_FIELD" envDefault:"in_stock" doc:"Boolean field that says whether a product is in stock."`
	Facets        []string        `env:"FACETS" envDefault:"category=category_ids/category_facet,color=color,size=size,brand=brand" doc:"Facets as code=field; code=field/labels where another field holds id|label for display; none for no facets."`
	PriceSteps    []string        `env:"PRICE_STEPS" envDefault:"0,50,100,250,500,1000,2000" doc:"Bounds of the facet price, rising decimals; the last range is open; none for no such facet."`
}

// traits say that a search is read and the same for everybody in a market.
func traits() map[commerce.Operation]commerce.Traits {
	return map[commerce.Operation]commerce.Traits{
		commerce.OpSearch: {System: system, Operation: commerce.OpSearch, Access: commerce.Read, Scope: commerce.ScopePublic},
	}
}

// connector implements [commerce.Search] over one index.
type connector struct {
	client *transport.Client
	traits commerce.Traits
	model  model
}

var _ commerce.Search = (*connector)(nil)

var indexPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,254}$`)

// New connects to the index. It makes no call; every bad setting is reported at once.
func New(cfg Config, deps transport.Deps) (commerce.Ports, error) {
	var errs []error
	if cfg.APIKey == "" {
		errs = append(errs, transport.BadSetting("API_KEY", "must not be empty"))
	}
	cfg = cfg.withDefaults()
	if !indexPattern.MatchString(cfg.Index) {
		errs = append(errs, transport.BadSetting("INDEX", "must be the name of an index or an alias"))
	}
	m, err := newModel(cfg)
	errs = append(errs, err)
	credentials := []string{"ApiKey " + string(cfg.APIKey)} // nobody changes them
	client, err := transport.New(system, cfg.Config, func(r *http.Request) error {
		r.Header["Authorization"] = credentials
		return nil
	}, deps)
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return commerce.Ports{}, fmt.Errorf("elasticsearch: %w", err)
	}
	table := traits()
	c := &connector{client: client, traits: table[commerce.OpSearch], model: m}
	return commerce.Ports{Search: c, Traits: table}, nil
}

// Search answers one page in one call. See [commerce.Search].
func (c *connector) Search(ctx context.Context, m commerce.Market, q commerce.SearchQuery) (*commerce.SearchResult, error) {
	s, err := c.model.plan(m, q)
	if err != nil {
		return nil, err
	}
	return c.fetch(ctx, s)
}
