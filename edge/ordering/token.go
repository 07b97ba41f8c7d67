package ordering

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"github.com/portico-bff/portico/schema/commerce"
)

// tokens lets whoever placed an order as a guest read it. A token is worth
// nothing for another order.
type tokens struct{ key []byte }

func (t tokens) sum(number commerce.OrderNumber) []byte {
	mac := hmac.New(sha256.New, t.key)
	_, _ = mac.Write([]byte(number)) // a hash never fails
	return mac.Sum(nil)
}

func (t tokens) sign(number commerce.OrderNumber) string {
	return base64.RawURLEncoding.EncodeToString(t.sum(number))
}

// good compares in constant time.
func (t tokens) good(number commerce.OrderNumber, token string) bool {
	mac, err := base64.RawURLEncoding.Strict().DecodeString(token)
	return err == nil && hmac.Equal(mac, t.sum(number))
}
