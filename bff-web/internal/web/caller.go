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
			w.Header().Add("Vary", "Authorization")
			values := r.Header.Values("Authorization")
			authorization := r.Header.Get("Authorization")
			if len(values) > 1 || len(values) == 1 && authorization == "" {
				Refuse(r.Context(), w, commerce.ErrUnauthenticated)
				return
			}
			p, err := v.Verify(r.Context(), authorization)
			if err != nil {
				Refuse(r.Context(), w, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(caller.WithPrincipal(r.Context(), p)))
		})
	}
}

// Market resolves where the request shops, and says so in the answer.
func Market(resolver *market.Resolver) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Add("Vary", market.Vary)
			m, err := resolver.Resolve(market.Hints{
				Channel: r.Header.Get("X-Channel"), AcceptLanguage: r.Header.Get("Accept-Language"),
				Currency: r.Header.Get("X-Currency"), Country: r.Header.Get("X-Country"),
			})
			if err != nil {
				Refuse(r.Context(), w, err)
				return
			}
			h.Set("Content-Language", m.Locale)
			h.Set("X-Channel", m.Channel)
			h.Set("X-Currency", m.Currency)
			h.Set("X-Country", m.Country)
			next.ServeHTTP(w, r.WithContext(caller.WithMarket(r.Context(), m)))
		})
	}
}
