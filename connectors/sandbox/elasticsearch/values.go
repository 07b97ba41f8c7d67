package elasticsearch

import (
	"cmp"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// kind is a field's type in the index's mapping.
type kind uint8

const (
	unmapped kind = iota
	keyword
	folded // a keyword with a lower-case normalizer
	text
	double // a scaled_float
	boolean
	date
)

// scale is how many parts a number has: four places after the point, exactly.
const scale = 10_000

// value is what a document holds in a field: a text, or a number times scale.
// Dates are milliseconds since 1970.
type value struct {
	text   string
	number int64
}

func (v value) compare(o value) int {
	return cmp.Or(cmp.Compare(v.number, o.number), cmp.Compare(v.text, o.text))
}

var decimalPattern = regexp.MustCompile(`^(-?)([0-9]{1,13})(?:\.([0-9]{1,20}))?$`)

// scaled reads a decimal text exactly, cutting what lies behind the fourth place.
func scaled(s string) (int64, bool) {
	m := decimalPattern.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	whole, err := strconv.ParseInt(m[2], 10, 64)
	if err != nil {
		return 0, false
	}
	part, err := strconv.ParseInt((m[3] + "0000")[:4], 10, 64)
	if err != nil {
		return 0, false
	}
	n := whole*scale + part
	if m[1] != "" {
		n = -n
	}
	return n, true
}

// decimal writes a scaled number as Java writes a double: always with a point.
func decimal(n int64) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	fraction := strings.TrimRight(strconv.FormatInt(scale+n%scale, 10)[1:], "0")
	if fraction == "" {
		fraction = "0"
	}
	return sign + strconv.FormatInt(n/scale, 10) + "." + fraction
}

// parse reads what a request compares a field of kind k with; false when it cannot be.
func (k kind) parse(raw json.RawMessage) (value, bool) {
	if len(raw) == 0 || strings.ContainsAny(string(raw[:1]), "{[n") { // an object, a list or null
		return value{}, false
	}
	return k.read(plain(raw))
}

// read is parse for what was sent as text.
func (k kind) read(s string) (value, bool) {
	switch k {
	case folded:
		return value{text: strings.ToLower(s)}, true
	case double:
		n, ok := scaled(s)
		return value{number: n}, ok
	case boolean:
		return truth(s == "true"), s == "true" || s == "false"
	case date:
		return parseDate(s)
	default:
		return value{text: s}, true
	}
}

func truth(b bool) value {
	if b {
		return value{number: scale}
	}
	return value{}
}

func parseDate(s string) (value, bool) {
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
		return value{number: ms}, true
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02"} {
		if at, err := time.Parse(layout, s); err == nil {
			return value{number: at.UnixMilli()}, true
		}
	}
	return value{}, false
}

// bucketKey is how an aggregation shows a value.
func (k kind) bucketKey(v value) (key any, asText string) {
	switch k {
	case double:
		return json.Number(decimal(v.number)), ""
	case boolean:
		return v.number / scale, strconv.FormatBool(v.number != 0)
	case date:
		return v.number, time.UnixMilli(v.number).UTC().Format("2006-01-02T15:04:05.000Z")
	default:
		return v.text, ""
	}
}

// missing stands for a field that a document does not have, past all others.
func missing(descending bool) value {
	if descending {
		return value{number: math.MinInt64}
	}
	return value{number: math.MaxInt64, text: "\U0010FFFF"}
}

// sortKey is how a hit's "sort" shows a value, and what search_after takes again.
func (k kind) sortKey(v value) any {
	if v == missing(true) || v == missing(false) {
		switch {
		case k == date:
			return v.number
		case k == double && v.number > 0:
			return "Infinity"
		case k == double:
			return "-Infinity"
		default:
			return nil
		}
	}
	switch k {
	case double:
		return json.Number(decimal(v.number))
	case boolean:
		return v.number / scale
	case date:
		return v.number
	default:
		return v.text
	}
}

// parseSortKey is the inverse of sortKey.
func (k kind) parseSortKey(raw json.RawMessage, descending bool) (value, bool) {
	switch string(raw) {
	case "null", `"Infinity"`, `"-Infinity"`, strconv.FormatInt(math.MaxInt64, 10), strconv.FormatInt(math.MinInt64, 10):
		return missing(descending), true
	}
	if k == boolean {
		return truth(string(raw) == "1"), string(raw) == "0" || string(raw) == "1"
	}
	if (k == keyword || k == folded) && raw[0] != '"' {
		return value{}, false
	}
	return k.parse(raw)
}
