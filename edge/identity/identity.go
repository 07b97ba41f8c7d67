// Package identity turns a bearer token into a principal. It trusts nothing in a
// token before its signature was checked against a key of the configured issuer.
package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/portico-bff/portico/schema/commerce"
)

// Config says whose tokens are good.
type Config struct {
	Issuer   string        `env:"JWT_ISSUER" doc:"Required iss of tokens; empty refuses every token."`
	Audience string        `env:"JWT_AUDIENCE" doc:"Required aud of tokens; needed with JWT_ISSUER."`
	JWKSURL  string        `env:"JWKS_URL" doc:"Where the issuer publishes its public keys; needed with JWT_ISSUER."`
	Leeway   time.Duration `env:"JWT_LEEWAY" envDefault:"30s" doc:"How far clocks may differ when a token's times are checked; at most 60s."`
	// Transport, which may be nil, replaces the HTTP transport that fetches keys.
	Transport http.RoundTripper
}

// Validate checks that the settings fit together.
func (c Config) Validate() error {
	var errs []error
	if c.Leeway < 0 || c.Leeway > maxLeeway {
		errs = append(errs, errors.New("JWT_LEEWAY must be between 0s and 60s"))
	}
	if c.Issuer == "" {
		return errors.Join(errs...)
	}
	if c.Audience == "" {
		errs = append(errs, errors.New("JWT_AUDIENCE is required with JWT_ISSUER"))
	}
	u, err := url.Parse(c.JWKSURL)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		errs = append(errs, errors.New("JWKS_URL must be an http or https address, required with JWT_ISSUER"))
	}
	return errors.Join(errs...)
}

const (
	maxToken  = 8 << 10 // bytes
	maxLeeway = time.Minute
)

// algorithms are asymmetric, so that a public key can never pass as a secret.
var algorithms = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

// Verifier checks tokens. It is safe for concurrent use.
type Verifier struct {
	parser *jwt.Parser
	keys   *keySet // nil: no issuer is configured
}

// New makes a verifier. Keys are fetched when the first token arrives: the issuer
// need not be up. Without an issuer every token is refused.
func New(cfg Config, log *slog.Logger) (*Verifier, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Issuer == "" {
		return &Verifier{}, nil
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods(algorithms), jwt.WithIssuer(cfg.Issuer), jwt.WithAudience(cfg.Audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(cfg.Leeway), jwt.WithStrictDecoding(),
	)
	return &Verifier{parser: parser, keys: newKeySet(cfg.JWKSURL, cfg.Transport, log)}, nil
}

// Close ends a fetch of keys that is under way.
func (v *Verifier) Close() {
	if v.keys != nil {
		v.keys.close()
	}
}

// Verify answers who sent the Authorization header's value: empty is the
// anonymous principal, anything but a good bearer token is
// [commerce.ErrUnauthenticated]. While the issuer's keys cannot be had it
// answers [commerce.ErrUnavailable]. context.Canceled passes unchanged.
func (v *Verifier) Verify(ctx context.Context, authorization string) (commerce.Principal, error) {
	if authorization == "" {
		return commerce.Principal{Tenant: defaultTenant}, nil
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	switch {
	case !strings.EqualFold(scheme, "Bearer") || token == "":
		return commerce.Principal{}, refuse("no bearer token")
	case len(token) > maxToken:
		return commerce.Principal{}, refuse("token too large")
	case v.keys == nil:
		return commerce.Principal{}, refuse("no issuer is configured")
	}
	claims := jwt.MapClaims{}
	_, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		kid, err := checkHeader(t.Header)
		if err != nil {
			return nil, err
		}
		return v.keys.key(ctx, kid, t.Method.Alg())
	})
	if err != nil {
		return commerce.Principal{}, classify(err)
	}
	return principal(claims)
}

// checkHeader answers the key's id. Keys that a token brings along, or points to,
// are an attacker's; a critical extension is one that we do not know.
func checkHeader(header map[string]any) (kid string, err error) {
	for _, name := range []string{"jku", "jwk", "x5u", "x5c", "crit"} {
		if _, ok := header[name]; ok {
			return "", refuse("header not allowed")
		}
	}
	typ, _ := header["typ"].(string)
	if !slices.Contains([]string{"jwt", "at+jwt", "application/at+jwt"}, strings.ToLower(typ)) {
		return "", refuse("wrong typ")
	}
	kid, _ = header["kid"].(string)
	if kid == "" || len(kid) > 255 {
		return "", refuse("no key id")
	}
	return kid, nil
}

func refuse(reason string) error { return fmt.Errorf("%w: %s", commerce.ErrUnauthenticated, reason) }

// reasons in constant words: the parser's own texts may repeat parts of a token.
var reasons = []struct {
	err    error
	reason string
}{
	{jwt.ErrTokenExpired, "expired"},
	{jwt.ErrTokenNotValidYet, "not valid yet"},
	{jwt.ErrTokenUsedBeforeIssued, "issued in the future"},
	{jwt.ErrTokenInvalidAudience, "wrong audience"},
	{jwt.ErrTokenInvalidIssuer, "wrong issuer"},
	{jwt.ErrTokenRequiredClaimMissing, "a required claim is missing"},
	{jwt.ErrTokenSignatureInvalid, "bad signature or algorithm"},
	{jwt.ErrTokenMalformed, "malformed"},
}

func classify(err error) error {
	for _, keep := range []error{context.Canceled, commerce.ErrUnavailable} {
		if errors.Is(err, keep) {
			return unwrapTo(err, keep)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &commerce.CallError{System: system, Operation: opKeys, Kind: commerce.ErrTimeout, Reason: commerce.ReasonTimeout}
	}
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return refuse(r.reason)
		}
	}
	return refuse("not acceptable")
}

// unwrapTo drops the parser's wrapping from an error of the key set.
func unwrapTo(err, kind error) error {
	if call, ok := errors.AsType[*commerce.CallError](err); ok {
		return call
	}
	return kind
}

const defaultTenant = "default"

var (
	subjectPattern = regexp.MustCompile(`^[A-Za-z0-9._~:|@+=/-]{1,255}$`)
	tenantPattern  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	groupPattern   = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)
)

// principal reads verified claims. A claim of ours that has a wrong form refuses
// the token: guessing would make somebody else of its owner.
func principal(claims jwt.MapClaims) (commerce.Principal, error) {
	p := commerce.Principal{Tenant: defaultTenant, Claims: map[string]string{}}
	for name, value := range claims {
		if text, ok := value.(string); ok {
			p.Claims[name] = text
		}
	}
	p.Subject = p.Claims["sub"]
	if !subjectPattern.MatchString(p.Subject) {
		return commerce.Principal{}, refuse("bad sub")
	}
	if _, there := claims["tenant"]; there {
		p.Tenant = p.Claims["tenant"]
	}
	if !tenantPattern.MatchString(p.Tenant) {
		return commerce.Principal{}, refuse("bad tenant")
	}
	if _, there := claims["price_group"]; there {
		p.PriceGroup = commerce.PriceGroup(p.Claims["price_group"])
		if !groupPattern.MatchString(string(p.PriceGroup)) {
			return commerce.Principal{}, refuse("bad price_group")
		}
	}
	if email, err := commerce.ParseEmail("email", p.Claims["email"]); err == nil {
		p.Email = email
		p.EmailVerified = claims["email_verified"] == true
	}
	if end, err := claims.GetExpirationTime(); err == nil && end != nil { // the parser requires one
		p.Expires = end.Time
	}
	return p, nil
}
