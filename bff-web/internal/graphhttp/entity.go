package graphhttp

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// entityOf is the strong entity tag of a representation: equal ones have equal tags, on
// whichever node they were made. The header names the market: it is part of it.
func entityOf(m commerce.Market, contentType string, body []byte) []string {
	h := sha256.New()
	for _, text := range []string{m.Channel, m.Locale, m.Currency, m.Country, contentType} {
		h.Write([]byte(text))
		h.Write([]byte{0}) // none of them has one
	}
	h.Write(body)
	const enough = 18 // bytes: that two differ and look alike does not happen
	return []string{`"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:enough]) + `"`}
}

// unchanged tells whether a client's If-None-Match names the entity that it would get.
func unchanged(asked, entity []string) bool {
	if len(entity) == 0 {
		return false
	}
	for _, list := range asked {
		for tag := range strings.SplitSeq(list, ",") {
			tag = strings.TrimSpace(tag)
			if tag == "*" || strings.TrimPrefix(tag, "W/") == entity[0] {
				return true
			}
		}
	}
	return false
}
