package web

import (
	"context"
	"net/http"

	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/edge/market"
	"github.com/portico-bff/portico/schema/commerce"
)

// Verifier turns an Authorization header into a principal.
type Verifier interface {
	Verify(ctx context.Context, authorization string) (commerce.Principal, error)
}

// Authenticate puts the principal into the context. A bad token is 401: nobody
// who meant to be signed in is served as a stranger.
func Authenticate(v Verifier) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			values := r.Header["Authorization"]
			authorization := only(values)
			if len(values) > 1 || len(values) == 1 && authorization == "" {
				Refuse(r.Context(), w, commerce.ErrUnauthenticated)
				return
			}
			p, err := v.Verify(r.Context(), authorization)
			if err != nil {
				Refuse(r.Context(), w, err)
				return
			}
			next.ServeHTTP(w, caller.From(r, &p))
		})
	}
}

// Market resolves where the request shops, and says so in the answer.
func Market(resolver *market.Resolver) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			var shop struct { // in one piece
				market commerce.Market
				said   [4]string
			}
			var err error
			shop.market, err = resolver.Resolve(market.Hints{
				Channel: only(r.Header["X-Channel"]), AcceptLanguage: only(r.Header["Accept-Language"]),
				Currency: only(r.Header["X-Currency"]), Country: only(r.Header["X-Country"]),
			})
			if err != nil {
				Refuse(r.Context(), w, err)
				return
			}
			m, said := &shop.market, &shop.said
			*said = [4]string{m.Locale, m.Channel, m.Currency, m.Country}
			h["Content-Language"], h["X-Channel"] = said[:1:1], said[1:2:2]
			h["X-Currency"], h["X-Country"] = said[2:3:3], said[3:]
			next.ServeHTTP(w, caller.In(r, m))
		})
	}
}

// only is a header's value, of several the first.
func only(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
