package identity_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/portico-bff/portico/edge/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	issuer   = "https://issuer.test"
	audience = "portico"
)

type signer struct {
	key    crypto.Signer
	method jwt.SigningMethod
}

// signers are made once: RSA keys are slow to make. weak is below the size we accept.
var signers = sync.OnceValue(func() map[string]signer {
	list := map[string]signer{}
	rsaKey := func(bits int) crypto.Signer {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		return k
	}
	ecKey := func(c elliptic.Curve) crypto.Signer {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			panic(err)
		}
		return k
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	list["rsa"] = signer{rsaKey(2048), jwt.SigningMethodRS256}
	list["other-rsa"] = signer{rsaKey(2048), jwt.SigningMethodRS256}
	list["weak"] = signer{rsaKey(1024), jwt.SigningMethodRS256}
	list["ec"] = signer{ecKey(elliptic.P256()), jwt.SigningMethodES256}
	list["ec384"] = signer{ecKey(elliptic.P384()), jwt.SigningMethodES384}
	list["ed"] = signer{ed, jwt.SigningMethodEdDSA}
	return list
})

// issuerServer is an issuer's key endpoint without a socket.
type issuerServer struct {
	mu      sync.Mutex
	body    []byte
	status  int
	down    bool
	hang    bool
	fetches atomic.Int64
}

func (s *issuerServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.fetches.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	if s.down {
		return nil, errors.New("connection refused")
	}
	return &http.Response{
		StatusCode: s.status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader(s.body)), Request: r,
	}, nil
}

func (s *issuerServer) set(change func(*issuerServer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// publish makes the endpoint show the public keys of these signers, each under its name.
func (s *issuerServer) publish(t *testing.T, names ...string) {
	t.Helper()
	var keys []json.RawMessage
	for _, name := range names {
		jwk, err := jwkset.NewJWKFromKey(signers()[name].key.Public(), jwkset.JWKOptions{
			Metadata: jwkset.JWKMetadataOptions{KID: name, USE: jwkset.UseSig},
			Validate: jwkset.JWKValidateOptions{SkipAll: true},
		})
		require.NoError(t, err)
		raw, err := json.Marshal(jwk.Marshal())
		require.NoError(t, err)
		keys = append(keys, raw)
	}
	keys = append(keys, json.RawMessage(`{"kty":"oct","kid":"secret","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}`))
	body, err := json.Marshal(map[string]any{"keys": keys})
	require.NoError(t, err)
	s.set(func(s *issuerServer) { s.body, s.status, s.down = body, http.StatusOK, false })
}

// start is a verifier of an issuer that publishes every good key.
func start(t *testing.T) (*identity.Verifier, *issuerServer) {
	t.Helper()
	server := &issuerServer{}
	server.publish(t, "rsa", "weak", "ec", "ec384", "ed")
	v, err := identity.New(identity.Config{
		Issuer: issuer, Audience: audience, JWKSURL: "http://issuer.test/jwks", Leeway: 30 * time.Second, Transport: server,
	}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(v.Close)
	return v, server
}

// token is a good token with changes; a nil value removes a claim or a header.
type token struct {
	signer string
	method jwt.SigningMethod
	header map[string]any
	claims map[string]any
	key    any
}

func (tk token) sign(t *testing.T) string {
	t.Helper()
	claims := jwt.MapClaims{
		"iss": issuer, "aud": audience, "sub": "AW00011000", "email": "ann@example.test", "email_verified": true,
		"tenant": "default", "price_group": "wholesale", "store": "17", "level": 3,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	merge(claims, tk.claims)
	if tk.signer == "" {
		tk.signer = "rsa"
	}
	s := signers()[tk.signer]
	if tk.method == nil {
		tk.method = s.method
	}
	if tk.key == nil {
		tk.key = s.key
	}
	raw := jwt.NewWithClaims(tk.method, claims)
	raw.Header["kid"] = tk.signer
	merge(raw.Header, tk.header)
	text, err := raw.SignedString(tk.key)
	require.NoError(t, err)
	return text
}

func merge(into, changes map[string]any) {
	maps.Copy(into, changes)
	maps.DeleteFunc(into, func(_ string, v any) bool { return v == nil })
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
