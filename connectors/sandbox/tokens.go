package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

const (
	keyID         = "sandbox-1"
	keyBits       = 2048
	tokenLifetime = time.Hour
)

// sharedKey is one for all sandboxes of a process.
var sharedKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, keyBits) })

// signer stands in for the company's identity provider. Its key is made while the server
// starts, in the background: who needs it first waits for it.
type signer struct {
	key func() (*rsa.PrivateKey, error)
}

func newSigner() *signer {
	go func() { _, _ = sharedKey() }()
	return &signer{key: sharedKey}
}

// claims are what a shopper's token says.
type claims struct {
	jwt.RegisteredClaims
	Email         string `json:"email"`
	EmailVerified bool   `json:"email_verified"`
	Tenant        string `json:"tenant"`
	PriceGroup    string `json:"price_group"`
}

// Token signs a JWT (RS256, one hour) for the customer with the number, for example "AW00011000". ok is
// false when there is no such customer.
func (s *Server) Token(number string) (token string, ok bool, err error) {
	customer := s.World.Customer(number)
	if customer == nil {
		return "", false, nil
	}
	token, err = s.signer.sign(customer)
	return token, true, err
}

func (s *signer) sign(c *world.Customer) (string, error) {
	key, err := s.key()
	if err != nil {
		return "", err
	}
	now := time.Now()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: Issuer, Audience: jwt.ClaimStrings{Audience}, Subject: c.Number,
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(tokenLifetime)),
		},
		Email: c.Email, EmailVerified: true, Tenant: "default", PriceGroup: c.Group,
	})
	token.Header["kid"] = keyID
	return token.SignedString(key)
}

// jwk is the public half of the key, as RFC 7517 writes it.
type jwk struct {
	KeyType   string `json:"kty"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	N         string `json:"n"`
	E         string `json:"e"`
}

type jwkSet struct {
	Keys []jwk `json:"keys"`
}

func (s *signer) public() (jwkSet, error) {
	key, err := s.key()
	if err != nil {
		return jwkSet{}, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	return jwkSet{Keys: []jwk{{
		KeyType: "RSA", Use: "sig", Algorithm: "RS256", KeyID: keyID,
		N: encode(key.N.Bytes()), E: encode(big.NewInt(int64(key.E)).Bytes()),
	}}}, nil
}
