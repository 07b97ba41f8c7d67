// Package pimcore speaks to a Pimcore Data Hub GraphQL endpoint. It offers the
// ports Catalog, Related, Categories, Content, Listing and Reviews, read from the
// classes Product, Category, Brand, Review and ContentPage with the fields named in
// queries.go. Each port operation is one call for up to 100 keys.
package pimcore

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"sync"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

const system = "pimcore"

// Config is a Data Hub endpoint's settings.
type Config struct {
	transport.Config
	APIKey         commerce.Secret `env:"API_KEY,required,notEmpty" doc:"Key of the Data Hub configuration, sent as X-API-Key."`
	Endpoint       string          `env:"ENDPOINT" envDefault:"shop" doc:"Name of the Data Hub configuration."`
	Languages      []string        `env:"LANGUAGES" envDefault:"en,fr,he,th,ar,zh-Hant" doc:"Languages of the PIM, the default first; locale=language where the PIM's name differs from BCP 47."`
	Thumbnails     []string        `env:"THUMBNAILS" envDefault:"small=80,large=240" doc:"Thumbnail configurations of the PIM and their widths in pixels, as name=width."`
	PublicAssetURL string          `env:"PUBLIC_ASSET_URL" doc:"Where browsers and apps fetch pictures; the base URL when empty."`
	ColumnPrefix   string          `env:"COLUMN_PREFIX" doc:"Prefix of system columns in filters: o_ before Pimcore 11, empty since."`
}

// traits say it once for all that this kind does: everything is read, and the same for everybody.
func traits() map[commerce.Operation]commerce.Traits {
	table := map[commerce.Operation]commerce.Traits{}
	for _, op := range []commerce.Operation{
		commerce.OpProducts, commerce.OpRelated, commerce.OpCategoryTree, commerce.OpPages, commerce.OpReviews,
		commerce.OpSKUs, commerce.OpPageIDs,
	} {
		table[op] = commerce.Traits{
			System: system, Operation: op, Access: commerce.Read, Scope: commerce.ScopePublic, BatchSize: commerce.MaxBatch,
		}
	}
	return table
}

// connector implements all ports over one endpoint.
type connector struct {
	client    *transport.Client
	path      []string // of every call
	prefix    string
	languages languages
	pictures  pictures
	documents map[commerce.Operation]*document
	products  sync.Pool // rooms for one each
	related   sync.Pool
}

var (
	endpointPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
	prefixPattern   = regexp.MustCompile(`^[a-z_]*$`)
)

// New connects to the endpoint. It makes no call; every bad setting is reported at once.
func New(cfg Config, deps transport.Deps) (commerce.Ports, error) {
	var errs []error
	if cfg.APIKey == "" {
		errs = append(errs, transport.BadSetting("API_KEY", "must not be empty"))
	}
	cfg = cfg.withDefaults()
	if !endpointPattern.MatchString(cfg.Endpoint) {
		errs = append(errs, transport.BadSetting("ENDPOINT", "must be the name of a Data Hub configuration"))
	}
	if !prefixPattern.MatchString(cfg.ColumnPrefix) {
		errs = append(errs, transport.BadSetting("COLUMN_PREFIX", "must be lower-case letters and underscores"))
	}
	languages, err := parseLanguages(cfg.Languages)
	errs = append(errs, err)
	pictures, err := parsePictures(cfg)
	errs = append(errs, err)
	key := string(cfg.APIKey)
	client, err := transport.New(system, cfg.Config, func(r *http.Request) error {
		r.Header.Set("X-API-Key", key)
		return nil
	}, deps)
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return commerce.Ports{}, fmt.Errorf("pimcore: %w", err)
	}
	all := traits()
	c := &connector{
		client: client, path: []string{"pimcore-graphql-webservices", cfg.Endpoint}, prefix: cfg.ColumnPrefix,
		languages: languages, pictures: pictures, documents: documents(&pictures, cfg.ColumnPrefix, all),
	}
	c.products.New = func() any { return newProductRoom(&c.pictures) }
	c.related.New = func() any { return newRelatedRoom(&c.pictures) }
	return commerce.Ports{
		Catalog: c, Related: c, Categories: c, Content: c, Listing: c, Reviews: c,
		Traits: all,
	}, nil
}

func (c Config) withDefaults() Config {
	if c.Endpoint == "" {
		c.Endpoint = "shop"
	}
	if len(c.Languages) == 0 {
		c.Languages = []string{"en"}
	}
	if len(c.Thumbnails) == 0 {
		c.Thumbnails = []string{"small=80", "large=240"}
	}
	return c
}
