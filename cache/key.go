package cache

import (
	"encoding/binary"
	"maps"
	"slices"
	"strconv"

	"github.com/portico-bff/portico/schema/commerce"
)

// key is everything an answer depends on. Two keys are written alike only when
// they are equal: each field is preceded by its length.
type key struct {
	system    string
	operation commerce.Operation
	form      string // of what is stored, see formOf
	scope     commerce.Scope
	tenant    string // with caller empty unless the scope is the customer
	caller    string // see callerText
	market    commerce.Market
	group     commerce.PriceGroup
	args      string // the batch key, or the arguments; written with their lengths when there are several
}

// prefix is all fields but args.
func (k key) prefix() []byte { return k.appendPrefix(make([]byte, 0, 160)) }

func (k key) appendPrefix(b []byte) []byte {
	for _, field := range []string{
		k.system, string(k.operation), k.form, k.scope.String(), k.tenant, k.caller,
		k.market.Channel, k.market.Locale, k.market.Currency, k.market.Country, string(k.group),
	} {
		b = appendField(b, field)
	}
	return b
}

func (k key) String() string { return withArgs(k.prefix(), k.args) }

func withArgs(prefix []byte, args string) string {
	var room [256]byte
	return string(appendField(append(room[:0], prefix...), args))
}

func appendField(b []byte, field string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(field))), field...)
}

// fields writes several arguments as one.
func fields(list ...string) string {
	var b []byte
	for _, field := range list {
		b = appendField(b, field)
	}
	return string(b)
}

// callerText is all that a connector may look at in a principal: two tokens of
// one subject share a load only when they say the same.
func callerText(p commerce.Principal) string {
	list := []string{p.Subject, p.Email, strconv.FormatBool(p.EmailVerified), string(p.PriceGroup)}
	for _, name := range slices.Sorted(maps.Keys(p.Claims)) {
		list = append(list, name, p.Claims[name])
	}
	return fields(list...)
}

// queryText writes a search. The order of a facet's alternatives says nothing.
func queryText(q commerce.SearchQuery) string {
	list := []string{
		q.Text, string(q.Sort), strconv.Itoa(q.First), q.After, string(q.Filter.Category),
		q.Filter.PriceMin, q.Filter.PriceMax, strconv.FormatBool(q.Filter.InStock), strconv.FormatBool(q.NoFacets),
	}
	for _, code := range slices.Sorted(maps.Keys(q.Filter.Facets)) {
		list = append(list, code, fields(slices.Sorted(slices.Values(q.Filter.Facets[code]))...))
	}
	return fields(list...)
}

func cursorText(c commerce.Cursor) string { return fields(strconv.Itoa(c.First), c.After) }
