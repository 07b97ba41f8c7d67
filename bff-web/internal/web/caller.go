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
			var shop struct { // in one piece
				market commerce.Market
				said   marketFields
			}
			var err error
			shop.market, err = resolver.Resolve(hintsOf(r.Header))
			if err != nil {
				Refuse(r.Context(), w, err)
				return
			}
			shop.said.tell(w.Header(), &shop.market)
			next.ServeHTTP(w, caller.In(r, &shop.market))
		})
	}
}

// hintsOf is what a request says of its market.
func hintsOf(h http.Header) market.Hints {
	return market.Hints{
		Channel: only(h["X-Channel"]), AcceptLanguage: only(h["Accept-Language"]),
		Currency: only(h["X-Currency"]), Country: only(h["X-Country"]),
	}
}

// marketFields is room for the values of the fields that tell a market.
type marketFields [4]string

// tell says m in h, which refers to f from here on.
func (f *marketFields) tell(h http.Header, m *commerce.Market) {
	*f = marketFields{m.Locale, m.Channel, m.Currency, m.Country}
	h["Content-Language"], h["X-Channel"] = f[:1:1], f[1:2:2]
	h["X-Currency"], h["X-Country"] = f[2:3:3], f[3:]
}

// only is a header's value, of several the first.
func only(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
