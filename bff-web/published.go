package bffweb

import (
	"context"
	"errors"
	"net/http"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/bff-web/internal/graphhttp"
	"github.com/portico-bff/portico/bff-web/storefront"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/config"
)

// checkDocuments holds production to trusted documents.
func (c Config) checkDocuments() error {
	var errs []error
	if c.Mode == edge.Production && c.Documents.Open {
		errs = append(errs, config.Bad("WEB_OPEN_QUERIES", "must not be set in production: it answers trusted documents only"))
	}
	if c.Mode == edge.Production && c.Documents.Dir == "" && !c.Documents.Redis && !c.serves() {
		errs = append(errs, config.Bad("WEB_DOCUMENTS_DIR", "or WEB_DOCUMENTS_REDIS or WEB_STOREFRONT is required in production"))
	}
	if c.Documents.Redis && c.Cache.RedisURL == "" {
		errs = append(errs, config.Bad("WEB_DOCUMENTS_REDIS", "needs REDIS_URL"))
	}
	return errors.Join(errs...)
}

// publications opens the trusted documents.
func publications(ctx context.Context, b *edge.Backend, cfg Config) (*documents.Store, error) {
	bundled, err := documents.BundledIn(cfg.Manifests)
	if err != nil {
		return nil, err
	}
	if cfg.serves() {
		bundled = append(bundled, documents.Bundled{Client: documents.Client{Name: storefront.Client, Version: storefront.Version}, Manifest: storefront.Documents()})
	}
	return documents.Open(ctx, cfg.Documents, documents.Deps{
		Bundled: bundled,
		Rules:   rules(b.Config), Redis: b.Redis(), Log: b.Log, Meter: b.Telemetry.Meter(), Required: b.Config.Mode == edge.Production,
	})
}

// rules is what a published document is held to: what a text of open mode is. In
// production none may ask for the schema.
func rules(cfg edge.Config) documents.Rules {
	bounds := bounds(cfg)
	return documents.Rules{
		Schema: generated.NewExecutableSchema(generated.Config{}).Schema(), Tokens: bounds.Tokens, Limit: bounds.Check, Validation: graph.Rules,
	}
}

func bounds(cfg edge.Config) graphhttp.Limits {
	bounds := graphhttp.DefaultLimits
	bounds.Introspection = cfg.Development()
	return bounds
}

// adminRoutes are the backend's, and /documents. Readiness waits for the first
// documents: without any, every request would be refused.
func (a *App) adminRoutes() http.Handler {
	shared := a.backend.Admin()
	mux := http.NewServeMux()
	mux.Handle("/", shared)
	mux.Handle("GET /documents", a.published.Page())
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if !a.published.Ready() {
			http.Error(w, "trusted documents are not loaded", http.StatusServiceUnavailable)
			return
		}
		shared.ServeHTTP(w, r)
	})
	return mux
}

// Close releases what [New] opened, for an app that does not serve.
func (a *App) Close(ctx context.Context) error {
	a.published.Close()
	return a.backend.Close(ctx)
}
