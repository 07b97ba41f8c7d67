package idempotency

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"

	"github.com/portico-bff/portico/edge/ledger"
)

// Answers are sealed with what only who asked has, its key and a guest's cart id: an answer holds
// secrets, such as the id of a guest's new cart or the token of an order, and whoever reads the
// store is not to read those. To replay an answer takes the same key anyway.

const (
	sealing    = "portico idempotency answer" // what keys are derived for
	sealingKey = 32                           // bytes: AES-256
)

// seal is a with its fingerprint under the request's own key.
func (r Request) seal(a Answer, mark string) []byte {
	plain, _ := json.Marshal(a) // strings, numbers and bytes always encode
	return r.sealer().Seal(nil, nil, plain, []byte(mark))
}

// open is what seal was given.
func (r Request) open(sealed []byte, mark string) (a Answer, err error) {
	plain, err := r.sealer().Open(nil, nil, sealed, []byte(mark))
	if err != nil {
		return Answer{}, err
	}
	return a, json.Unmarshal(plain, &a)
}

func (r Request) sealer() cipher.AEAD {
	key, err := hkdf.Key(sha256.New, []byte(ledger.Key("idempotency-answer", r.scope()...)), nil, sealing, sealingKey)
	if err != nil {
		panic(err) // the length is a constant, which a test uses
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // as above
	}
	sealer, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // as above
	}
	return sealer
}
