package identity_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/identity"
	"github.com/portico-bff/portico/schema/commerce"
)

func TestVerifyReadsThePrincipal(t *testing.T) {
	t.Parallel()
	v, _ := start(t)
	want := commerce.Principal{
		Tenant: "default", Subject: "AW00011000", Email: "ann@example.test", EmailVerified: true, PriceGroup: "wholesale",
		Claims: map[string]string{
			"iss": issuer, "aud": audience, "sub": "AW00011000", "email": "ann@example.test",
			"tenant": "default", "price_group": "wholesale", "store": "17",
		},
	}
	for _, name := range []string{"rsa", "ec", "ec384", "ed"} {
		p, err := v.Verify(t.Context(), "Bearer "+token{signer: name}.sign(t))
		require.NoError(t, err, name)
		assert.WithinDuration(t, time.Now().Add(time.Hour), p.Expires, time.Hour, "what is watched ends with the token")
		p.Expires = time.Time{}
		assert.Equal(t, want, p, name)
	}
	p, err := v.Verify(t.Context(), "bearer "+token{method: jwt.SigningMethodPS512, header: map[string]any{"typ": "at+jwt"}}.sign(t))
	require.NoError(t, err, "the scheme's case does not matter")
	assert.Equal(t, "AW00011000", p.Subject)
}

func TestVerifyDefaults(t *testing.T) {
	t.Parallel()
	v, server := start(t)
	p, err := v.Verify(t.Context(), "")
	require.NoError(t, err)
	assert.Equal(t, commerce.Principal{Tenant: "default"}, p)
	assert.True(t, p.Anonymous())
	assert.Zero(t, server.fetches.Load(), "nobody signed in, no keys needed")

	p, err = v.Verify(t.Context(), "Bearer "+token{claims: map[string]any{
		"tenant": nil, "price_group": nil, "email_verified": "true", "aud": []string{"other", audience},
	}}.sign(t))
	require.NoError(t, err)
	assert.Equal(t, "default", p.Tenant)
	assert.Empty(t, p.PriceGroup)
	assert.False(t, p.EmailVerified, "only true itself verifies an address")

	p, err = v.Verify(t.Context(), "Bearer "+token{claims: map[string]any{"email": "not an address"}}.sign(t))
	require.NoError(t, err)
	assert.Empty(t, p.Email)
	assert.False(t, p.EmailVerified)
}

func TestA8_BadTokensAreRefused(t *testing.T) {
	t.Parallel()
	v, _ := start(t)
	good := token{}.sign(t)
	parts := strings.Split(good, ".")
	der, err := x509.MarshalPKIXPublicKey(signers()["rsa"].key.Public())
	require.NoError(t, err)
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	header := func(changes map[string]any) string { return "Bearer " + token{header: changes}.sign(t) }
	claims := func(changes map[string]any) string { return "Bearer " + token{claims: changes}.sign(t) }
	now := time.Now()

	bad := map[string]string{
		"another scheme":              "Basic dXNlcjpwYXNz",
		"no scheme":                   good,
		"nothing after the scheme":    "Bearer ",
		"two spaces":                  "Bearer  " + good,
		"a list":                      "Bearer " + good + ", Bearer " + good,
		"not a token":                 "Bearer hello",
		"two parts":                   "Bearer " + parts[0] + "." + parts[1],
		"four parts":                  "Bearer " + good + ".x",
		"no signature":                "Bearer " + parts[0] + "." + parts[1] + ".",
		"padding":                     "Bearer " + good + "==",
		"claims swapped":              "Bearer " + parts[0] + "." + b64(`{"iss":"`+issuer+`","aud":"portico","sub":"admin","exp":9999999999}`) + "." + parts[2],
		"claims that are no object":   "Bearer " + parts[0] + "." + b64(`["sub"]`) + "." + parts[2],
		"larger than 8 KiB":           claims(map[string]any{"x": strings.Repeat("a", 9000)}),
		"alg none":                    "Bearer " + token{method: jwt.SigningMethodNone, key: jwt.UnsafeAllowNoneSignatureType}.sign(t),
		"alg none, spelt NoNe":        "Bearer " + b64(`{"alg":"NoNe","typ":"JWT","kid":"rsa"}`) + "." + parts[1] + ".",
		"HS256 with the public key":   "Bearer " + token{method: jwt.SigningMethodHS256, key: publicPEM}.sign(t),
		"HS256 with a published oct":  "Bearer " + token{method: jwt.SigningMethodHS256, key: []byte("secretsecretsecretsecretsecret"), header: map[string]any{"kid": "secret"}}.sign(t),
		"another issuer's key":        "Bearer " + token{signer: "other-rsa", header: map[string]any{"kid": "rsa"}}.sign(t),
		"unknown kid":                 "Bearer " + token{signer: "other-rsa"}.sign(t),
		"a key too weak":              "Bearer " + token{signer: "weak"}.sign(t),
		"kid of another type of key":  "Bearer " + token{signer: "ec", header: map[string]any{"kid": "rsa"}}.sign(t),
		"ES256 with a P-384 key":      "Bearer " + token{signer: "ec", header: map[string]any{"kid": "ec384"}}.sign(t),
		"no kid":                      header(map[string]any{"kid": nil}),
		"kid that is a number":        header(map[string]any{"kid": 1}),
		"kid as a path":               header(map[string]any{"kid": "../../dev/null"}),
		"kid too long":                header(map[string]any{"kid": strings.Repeat("k", 256)}),
		"jku":                         header(map[string]any{"jku": "https://evil.test/jwks"}),
		"x5u":                         header(map[string]any{"x5u": "https://evil.test/cert"}),
		"jwk":                         header(map[string]any{"jwk": map[string]any{"kty": "RSA"}}),
		"x5c":                         header(map[string]any{"x5c": []string{base64.StdEncoding.EncodeToString(der)}}),
		"crit":                        header(map[string]any{"crit": []string{"exp"}}),
		"no typ":                      header(map[string]any{"typ": nil}),
		"typ of a logout token":       header(map[string]any{"typ": "logout+jwt"}),
		"typ of an ID document":       header(map[string]any{"typ": "secevent+jwt"}),
		"no iss":                      claims(map[string]any{"iss": nil}),
		"another iss":                 claims(map[string]any{"iss": issuer + "/"}),
		"no aud":                      claims(map[string]any{"aud": nil}),
		"another aud":                 claims(map[string]any{"aud": "portico-admin"}),
		"aud that is a number":        claims(map[string]any{"aud": 7}),
		"no exp":                      claims(map[string]any{"exp": nil}),
		"exp that is a text":          claims(map[string]any{"exp": "tomorrow"}),
		"expired, beyond the leeway":  claims(map[string]any{"exp": now.Add(-61 * time.Second).Unix()}),
		"not valid yet":               claims(map[string]any{"nbf": now.Add(2 * time.Minute).Unix()}),
		"issued in the future":        claims(map[string]any{"iat": now.Add(2 * time.Minute).Unix()}),
		"no sub":                      claims(map[string]any{"sub": nil}),
		"empty sub":                   claims(map[string]any{"sub": ""}),
		"sub that is a number":        claims(map[string]any{"sub": 11000}),
		"sub with a line break":       claims(map[string]any{"sub": "AW1\nadmin"}),
		"sub too long":                claims(map[string]any{"sub": strings.Repeat("s", 256)}),
		"tenant with a separator":     claims(map[string]any{"tenant": "a:b"}),
		"tenant that is null":         "Bearer " + withNull(t, "tenant"),
		"price group with upper case": claims(map[string]any{"price_group": "VIP"}),
		"price group that is a list":  claims(map[string]any{"price_group": []string{"wholesale"}}),
	}
	require.GreaterOrEqual(t, len(bad), 30)
	for name, authorization := range bad {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := v.Verify(t.Context(), authorization)
			require.ErrorIs(t, err, commerce.ErrUnauthenticated)
			assert.Equal(t, commerce.Principal{}, p)
			assert.Less(t, len(err.Error()), 80, "the reason is a constant: nothing of the token is in it")
		})
	}
}

// withNull signs a token with a claim that is there and null.
func withNull(t *testing.T, claim string) string {
	t.Helper()
	type null struct{}
	return token{claims: map[string]any{claim: (*null)(nil)}}.sign(t)
}

func TestA8_LeewayIsAMinuteAtMost(t *testing.T) {
	t.Parallel()
	v, _ := start(t)
	_, err := v.Verify(t.Context(), "Bearer "+token{claims: map[string]any{"exp": time.Now().Add(-5 * time.Second).Unix()}}.sign(t))
	require.NoError(t, err, "clocks differ a little")
	cfg := identity.Config{Leeway: 61 * time.Second}
	require.ErrorContains(t, cfg.Validate(), "JWT_LEEWAY")
}

func TestWithoutIssuerEveryTokenIsRefused(t *testing.T) {
	t.Parallel()
	v, err := identity.New(identity.Config{}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer v.Close()
	_, err = v.Verify(t.Context(), "Bearer "+token{}.sign(t))
	require.ErrorIs(t, err, commerce.ErrUnauthenticated)
	p, err := v.Verify(t.Context(), "")
	require.NoError(t, err)
	assert.True(t, p.Anonymous())
}

func TestConfigReportsEverythingMissing(t *testing.T) {
	t.Parallel()
	err := identity.Config{Issuer: issuer, JWKSURL: "file:///etc/passwd", Leeway: -1}.Validate()
	for _, name := range []string{"JWT_AUDIENCE", "JWKS_URL", "JWT_LEEWAY"} {
		assert.ErrorContains(t, err, name)
	}
}

func TestVerifyPassesCancellationOn(t *testing.T) {
	t.Parallel()
	v, server := start(t)
	server.set(func(s *issuerServer) { s.hang = true })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := v.Verify(ctx, "Bearer "+token{}.sign(t))
	require.ErrorIs(t, err, context.Canceled)
	ctx, cancel = context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	_, err = v.Verify(ctx, "Bearer "+token{}.sign(t))
	require.ErrorIs(t, err, commerce.ErrTimeout)
}

func ExampleVerifier_Verify() {
	v, err := identity.New(identity.Config{}, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	defer v.Close()
	p, _ := v.Verify(context.Background(), "")
	fmt.Println(p.Anonymous())
	_, err = v.Verify(context.Background(), "Bearer abc")
	fmt.Println(err)
	// Output:
	// true
	// unauthenticated: no issuer is configured
}
