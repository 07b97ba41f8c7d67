package bffweb

import (
	"net/http"

	"github.com/portico-bff/portico/bff-web/internal/graphiql"
	"github.com/portico-bff/portico/bff-web/internal/presets"
	"github.com/portico-bff/portico/bff-web/internal/web"
	"github.com/portico-bff/portico/bff-web/storefront"
	"github.com/portico-bff/portico/edge"
)

// pages mounts what people look at rather than programs: GraphiQL in development, and the shop.
func pages(mux *http.ServeMux, b *edge.Backend, cfg Config) {
	m := b.Config.Markets
	offered := presets.Presets{Markets: presets.Markets{Channels: m.Channels, Locales: m.Locales, Currencies: m.Currencies, Countries: m.Countries}}
	if b.Config.Development() {
		offered.DemoURL = cfg.GraphiQL.DemoURL
		mux.Handle("GET "+graphiql.Prefix, graphiql.Assets())
		hand(mux, b, graphiql.PresetsPath, graphiql.Presets{Presets: offered})
	}
	if b.Config.Development() || cfg.Storefront.On {
		storefront.Mount(mux)
		hand(mux, b, storefront.SettingsPath, offered)
	}
}

// hand answers a page's own questions, and nobody else's.
func hand(mux *http.ServeMux, b *edge.Backend, path string, offered http.Handler) {
	handed := web.Stack(offered, web.Vary, web.CORS(b.CORS), web.CSRF(b.CORS))
	mux.Handle("GET "+path, handed)
	mux.Handle("POST "+path, handed)
}
