package elasticsearch

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// cursorVersion changes with the cursor's form and with what the sum covers.
const cursorVersion = 1

const maxCursor = 2048 // bytes

// cursor is a place in a listing: right behind the hit with these sort values. It fits only the search it came from.
type cursor struct {
	Version int               `json:"v"`
	Sum     string            `json:"q"`
	After   []json.RawMessage `json:"s"`
}

// shared is what pages of one search share, as far as it is not its market.
type shared struct {
	Text   string
	Filter commerce.SearchFilter
	Sort   commerce.Sort
	First  int    // not any more: cursors that clients have were made with it
	After  string // nor this
}

// fingerprint identifies what pages of one search share: market, text, filter and order. How many
// rows a page has, and whether it has facets, may change on the way.
func fingerprint(market string, q commerce.SearchQuery) string {
	facets := map[string][]string{}
	for code, values := range q.Filter.Facets {
		if len(values) > 0 {
			facets[code] = slices.Sorted(slices.Values(values)) // alternatives have no order
		}
	}
	q.Filter.Facets = facets
	// A struct of strings and maps of them always can be written, keys in order.
	text, _ := json.Marshal(struct {
		Market string
		Query  shared
	}{market, shared{Text: q.Text, Filter: q.Filter, Sort: q.Sort}})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// cursors writes the places in a search: right behind each of its hits, whose sort values fit
// it. They are what [cursor] is as JSON, without reflection, and lie in one piece of memory.
type cursors struct {
	begin string // of each
	all   strings.Builder
}

const cursorEnd = "]}"

// newCursors is for hits of the search with this sum.
func newCursors(sum string, hits []wireHit) *cursors {
	c := &cursors{begin: `{"v":` + strconv.Itoa(cursorVersion) + `,"q":"` + sum + `","s":[`}
	size := 0
	for _, hit := range hits {
		length := len(c.begin) + len(cursorEnd) - 1
		for _, value := range hit.Sort {
			length += len(value) + len(",")
		}
		size += base64.RawURLEncoding.EncodedLen(length)
	}
	c.all.Grow(size)
	return c
}

// after is the place behind a hit.
func (c *cursors) after(hit wireHit) string {
	var room, coded [256]byte // of most
	text := append(room[:0], c.begin...)
	for i, value := range hit.Sort {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, value...)
	}
	text = append(text, cursorEnd...)
	from := c.all.Len()
	c.all.Write(base64.RawURLEncoding.AppendEncode(coded[:0], text))
	return c.all.String()[from:]
}

var errCursor = &commerce.InputError{Field: "after", Code: commerce.CodeInvalid, Message: "must be the endCursor of a page of this very search"}

// parseCursor answers the sort values in a cursor of the search with this sum, nil without a cursor.
func parseCursor(text, sum string, s sorting) ([]json.RawMessage, error) {
	if text == "" {
		return nil, nil
	}
	if len(text) > maxCursor {
		return nil, errCursor
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errCursor
	}
	var c cursor
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if dec.Decode(&c) != nil {
		return nil, errCursor
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errCursor
	}
	if c.Version != cursorVersion || c.Sum != sum || !s.fits(c.After) {
		return nil, errCursor
	}
	return c.After, nil
}

var numberPattern = regexp.MustCompile(`^-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$`)

// fits tells whether values are such as the upstream gives out for this order: a key that may be
// missing, and a SKU.
func (s sorting) fits(values []json.RawMessage) bool {
	if len(values) != 2 || !isString(values[1]) {
		return false
	}
	first := values[0]
	switch {
	case s.by == commerce.SortRelevance:
		return isNumber(first)
	case s.numbers:
		// A price that is missing sorts as infinity, written as text.
		return isNumber(first) || isOne(first, `"Infinity"`, `"-Infinity"`, "null")
	default:
		return isString(first) || isOne(first, "null")
	}
}

func isNumber(raw json.RawMessage) bool { return isDecimal(raw) || numberPattern.Match(raw) }

// isDecimal tells at a glance what [numberPattern] takes, too: few digits, and a point among them at most.
func isDecimal(raw json.RawMessage) bool {
	const most = 15
	points := 0
	for i, c := range raw {
		switch {
		case c >= '0' && c <= '9':
		case c == '.' && i > 0 && i+1 < len(raw):
			points++
		default:
			return false
		}
	}
	return len(raw) > 0 && len(raw) <= most && points <= 1
}

func isOne(raw json.RawMessage, of ...string) bool {
	return slices.ContainsFunc(of, func(s string) bool { return string(raw) == s })
}

func isString(raw json.RawMessage) bool { return len(raw) > 1 && raw[0] == '"' }
