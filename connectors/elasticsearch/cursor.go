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

// fingerprint identifies what pages of one search share: market, text, filter and order. How many
// rows a page has may change on the way.
func fingerprint(market string, q commerce.SearchQuery) string {
	q.First, q.After = 0, ""
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
		Query  commerce.SearchQuery
	}{market, q})
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// newCursor writes a place in the search with this sum: right behind the hit with these
// sort values, which fit it. It is what [cursor] is as JSON, without reflection: every hit has one.
func newCursor(sum string, after []json.RawMessage) string {
	var room [192]byte // of most
	text := room[:0]
	text = append(text, `{"v":`...)
	text = strconv.AppendInt(text, cursorVersion, 10)
	text = append(text, `,"q":"`...)
	text = append(text, sum...)
	text = append(text, `","s":[`...)
	for i, value := range after {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, value...)
	}
	text = append(text, "]}"...)
	return base64.RawURLEncoding.EncodeToString(text)
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
	first := string(values[0])
	switch {
	case s.by == commerce.SortRelevance:
		return numberPattern.MatchString(first)
	case s.numbers:
		// A price that is missing sorts as infinity, written as text.
		return numberPattern.MatchString(first) || first == `"Infinity"` || first == `"-Infinity"` || first == "null"
	default:
		return isString(values[0]) || first == "null"
	}
}

func isString(raw json.RawMessage) bool { return len(raw) > 1 && raw[0] == '"' }
