package commerce

import "time"

// Market is where, in which language and in which money a shopper shops. It is
// resolved once, at the edge, against configured lists; every field is set.
// It is comparable and part of every cache key whose answer depends on it.
type Market struct {
	Channel  string // a configured sales channel: "us"
	Locale   string // BCP 47: "en", "fr", "zh-Hant"
	Currency string // ISO 4217: "USD"
	Country  string // ISO 3166-1 alpha-2: "US"
}

// Principal is who asks, as a verified token said. The zero value is anonymous.
type Principal struct {
	Tenant        string     // "default" unless the token names one
	Subject       string     // the token's "sub"; empty for anonymous callers
	Email         string     // may be empty
	EmailVerified bool       // an unverified e-mail identifies nobody
	PriceGroup    PriceGroup // the token's claim; empty means the market's default
	Expires       time.Time  // when the token ends; zero: the principal has no session that could
	// Claims holds the token's string claims by name, for connectors that map a
	// principal to an upstream's own id by a configured claim. Read-only.
	Claims map[string]string
}

// Anonymous tells whether nobody is signed in.
func (p Principal) Anonymous() bool { return p.Subject == "" }

// Key is comparable and equal for the same principal only.
func (p Principal) Key() PrincipalKey { return PrincipalKey{Tenant: p.Tenant, Subject: p.Subject} }

// PrincipalKey identifies a principal in maps and cache keys.
type PrincipalKey struct{ Tenant, Subject string }

// Shopper is a caller in a market.
type Shopper struct {
	Market    Market
	Principal Principal
}
