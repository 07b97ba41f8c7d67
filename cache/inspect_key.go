package cache

import (
	"encoding/binary"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// cutField takes the first field off a key as it is written.
func cutField(text string) (field, rest string, ok bool) {
	n, shift := uint64(0), 0
	for i := range min(len(text), binary.MaxVarintLen64) {
		n |= uint64(text[i]&0x7f) << shift
		shift += 7
		if text[i] < 0x80 {
			rest = text[i+1:]
			if n > uint64(len(rest)) {
				return "", "", false
			}
			return rest[:n], rest[n:], true
		}
	}
	return "", "", false
}

// operationOf is the operation of a written key, or empty.
func operationOf(text string) commerce.Operation {
	_, text, _ = cutField(text)
	op, _, _ := cutField(text)
	return commerce.Operation(op)
}

// readKey is what was written as text; ok is false when it is no key.
func readKey(text string) (k key, ok bool) {
	var fields [12]string
	for i := range fields {
		if fields[i], text, ok = cutField(text); !ok {
			return key{}, false
		}
	}
	scope, known := scopeNamed(fields[3])
	return key{
		system: fields[0], operation: commerce.Operation(fields[1]), form: fields[2], scope: scope,
		tenant: fields[4], caller: fields[5],
		market: commerce.Market{Channel: fields[6], Locale: fields[7], Currency: fields[8], Country: fields[9]},
		group:  commerce.PriceGroup(fields[10]), args: fields[11],
	}, known && text == ""
}

func scopeNamed(name string) (commerce.Scope, bool) {
	for s := commerce.ScopeCustomer; s <= commerce.ScopePublic; s++ {
		if strings.EqualFold(s.String(), name) {
			return s, true
		}
	}
	return 0, false
}
