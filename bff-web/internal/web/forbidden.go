package web

import (
	"net/http"

	"github.com/portico-bff/portico/edge/cors"
	"github.com/portico-bff/portico/schema/commerce"
)

// What a request from a browser is refused for, told to whoever writes the page. It says
// nothing of what is listed.
var (
	errNoCSRF = &commerce.InputError{
		Field: "X-CSRF", Code: commerce.CodeRequired, Kind: commerce.ErrForbidden,
		Message: "must be 1 in whatever a browser sends",
	}
	errForeignOrigin = &commerce.InputError{
		Field: "Origin", Code: commerce.CodeInvalid, Kind: commerce.ErrForbidden,
		Message: "must be this host, or one of WEB_ORIGINS",
	}
	errForeignSite = &commerce.InputError{
		Field: "Sec-Fetch-Site", Code: commerce.CodeInvalid, Kind: commerce.ErrForbidden,
		Message: "must be same-origin in a request of a browser without Origin",
	}
)

// forged tells why a request that a browser sent may not be what a page of ours wanted; nil
// when it is.
func forged(policy *cors.Policy, r *http.Request) error {
	switch {
	case !browserSent(r):
		return nil
	case r.Header.Get("X-CSRF") != "1":
		return errNoCSRF
	case trusted(policy, r):
		return nil
	case len(r.Header["Origin"]) == 0:
		return errForeignSite
	default:
		return errForeignOrigin
	}
}
