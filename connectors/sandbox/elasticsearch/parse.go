package elasticsearch

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxTerms is index.max_terms_count.
const maxTerms = 65_536

type rawObject = map[string]json.RawMessage

// parseQuery reads {"<kind>": …}.
func parseQuery(raw json.RawMessage) (query, *fault) {
	var parts rawObject
	if f := decode(raw, &parts, "query"); f != nil {
		return nil, f
	}
	if len(parts) == 0 {
		return nil, parsing("query malformed, empty clause found")
	}
	name := firstKey(parts)
	if len(parts) > 1 {
		return nil, parsing("[%s] malformed query, expected [END_OBJECT] but found [FIELD_NAME]", name)
	}
	switch inner := parts[name]; name {
	case "match_all":
		return parseMatchAll(inner)
	case "match_none":
		return matchNone{}, nil
	case "multi_match":
		return parseMultiMatch(inner)
	case "match":
		return parseMatch(inner)
	case "bool":
		return parseBool(inner)
	case "term":
		return parseTerm(inner)
	case "terms":
		return parseTerms(inner)
	case "range":
		return parseRange(inner)
	case "exists":
		return parseExists(inner)
	case "ids":
		return parseIDs(inner)
	default:
		return nil, unknownName("unknown query", name)
	}
}

func firstKey(parts rawObject) string { return slices.Min(slices.Collect(maps.Keys(parts))) }

// known decodes raw into v, a pointer to a struct, and refuses keys it does not have.
func known(raw json.RawMessage, v any, what string) *fault {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	dec.UseNumber()
	err := dec.Decode(v)
	if err == nil {
		return nil
	}
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		name, _ = strconv.Unquote(name)
		f := parsing("[%s] query does not support [%s]", what, name)
		f.name = name
		return f
	}
	return parsing("[%s] failed to parse", what)
}

// orOne is the boost of a query that names none.
func orOne(boost *float64) float64 {
	if boost == nil {
		return 1
	}
	return *boost
}

func parseMatchAll(raw json.RawMessage) (query, *fault) {
	var body struct {
		Boost *float64 `json:"boost"`
	}
	f := known(raw, &body, "match_all")
	return matchAll{boost: orOne(body.Boost)}, f
}

type textBody struct {
	Query         json.RawMessage `json:"query"`
	Fields        []string        `json:"fields"`
	Type          string          `json:"type"`
	Operator      string          `json:"operator"`
	Fuzziness     json.RawMessage `json:"fuzziness"`
	PrefixLength  int             `json:"prefix_length"`
	MaxExpansions *int            `json:"max_expansions"`
	TieBreaker    *float64        `json:"tie_breaker"`
	Lenient       bool            `json:"lenient"`
	Boost         *float64        `json:"boost"`
}

func parseMultiMatch(raw json.RawMessage) (query, *fault) {
	var body textBody
	if f := known(raw, &body, "multi_match"); f != nil {
		return nil, f
	}
	if len(body.Fields) == 0 {
		return nil, parsing("[multi_match] requires fields")
	}
	return body.query("multi_match")
}

func parseMatch(raw json.RawMessage) (query, *fault) {
	field, inner, f := single(raw, "match")
	if f != nil {
		return nil, f
	}
	var body textBody
	if inner[0] != '{' {
		body.Query = inner
	} else if f := known(inner, &body, "match"); f != nil {
		return nil, f
	}
	body.Fields = []string{field}
	return body.query("match")
}

func (b textBody) query(what string) (query, *fault) {
	if len(b.Query) == 0 {
		return nil, parsing("No text specified for text query")
	}
	q := textQuery{text: plain(b.Query), mode: b.Type, boost: orOne(b.Boost), prefix: b.PrefixLength, fuzzy: len(b.Fuzziness) > 0}
	switch q.mode {
	case "":
		q.mode = "best_fields"
	case "best_fields", "most_fields", "cross_fields":
	default:
		return nil, parsing("failed to parse [%s] query type [%s]. unknown type.", what, b.Type)
	}
	if q.fuzzy && q.mode == "cross_fields" {
		return nil, parsing("Fuzziness not allowed for type [cross_fields]")
	}
	if q.fuzzy && !strings.HasPrefix(plain(b.Fuzziness), "AUTO") {
		return nil, parsing("the sandbox knows [fuzziness] AUTO only")
	}
	switch strings.ToLower(b.Operator) {
	case "", "or":
	case "and":
		q.and = true
	default:
		return nil, illegal("operator needs to be either AND or OR, but not [%s]", b.Operator)
	}
	for _, spec := range b.Fields {
		name, boost, has := strings.Cut(spec, "^")
		field := boosted{name: name, boost: 1}
		if has {
			n, err := strconv.ParseFloat(boost, 64)
			if err != nil || n <= 0 {
				return nil, illegal("failed to parse field boost [%s]", spec)
			}
			field.boost = n
		}
		q.fields = append(q.fields, field)
	}
	return q, nil
}

// plain is a JSON scalar as text.
func plain(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// single reads {"<field>": …}.
func single(raw json.RawMessage, what string) (string, json.RawMessage, *fault) {
	var parts rawObject
	if f := decode(raw, &parts, what); f != nil {
		return "", nil, f
	}
	names := slices.Sorted(maps.Keys(parts))
	switch len(names) {
	case 0:
		return "", nil, parsing("No field name specified for [%s] query", what)
	case 1:
		return names[0], parts[names[0]], nil
	default:
		return "", nil, parsing("[%s] query doesn't support multiple fields, found [%s] and [%s]", what, names[0], names[1])
	}
}

func parseBool(raw json.RawMessage) (query, *fault) {
	var body struct {
		Must    json.RawMessage `json:"must"`
		Should  json.RawMessage `json:"should"`
		Filter  json.RawMessage `json:"filter"`
		MustNot json.RawMessage `json:"must_not"`
		AtLeast *int            `json:"minimum_should_match"`
		Boost   *float64        `json:"boost"`
	}
	if f := known(raw, &body, "bool"); f != nil {
		return nil, f
	}
	q := boolQuery{boost: orOne(body.Boost)}
	for _, part := range []struct {
		raw  json.RawMessage
		into *[]query
	}{{body.Must, &q.must}, {body.Should, &q.should}, {body.Filter, &q.filter}, {body.MustNot, &q.mustNot}} {
		clauses, f := parseClauses(part.raw)
		if f != nil {
			return nil, f
		}
		*part.into = clauses
	}
	switch {
	case body.AtLeast != nil:
		q.atLeast = *body.AtLeast
	case len(q.should) > 0 && len(q.must) == 0 && len(q.filter) == 0:
		q.atLeast = 1
	}
	if len(q.must)+len(q.should)+len(q.filter)+len(q.mustNot) == 0 {
		return matchAll{boost: q.boost}, nil
	}
	return q, nil
}

// parseClauses reads one query or a list of them.
func parseClauses(raw json.RawMessage) ([]query, *fault) {
	if len(raw) == 0 {
		return nil, nil
	}
	list := []json.RawMessage{raw}
	if raw[0] == '[' {
		if f := decode(raw, &list, "bool"); f != nil {
			return nil, f
		}
	}
	clauses := make([]query, len(list))
	for i, one := range list {
		q, f := parseQuery(one)
		if f != nil {
			return nil, f
		}
		clauses[i] = q
	}
	return clauses, nil
}

func parseTerm(raw json.RawMessage) (query, *fault) {
	field, inner, f := single(raw, "term")
	if f != nil {
		return nil, f
	}
	var body struct {
		Value json.RawMessage `json:"value"`
		Boost *float64        `json:"boost"`
	}
	if inner[0] != '{' {
		body.Value = inner
	} else if f := known(inner, &body, "term"); f != nil {
		return nil, f
	}
	return valuesOf(field, []json.RawMessage{body.Value}, orOne(body.Boost))
}

func parseTerms(raw json.RawMessage) (query, *fault) {
	var parts rawObject
	if f := decode(raw, &parts, "terms"); f != nil {
		return nil, f
	}
	boost := 1.0
	if b, ok := parts["boost"]; ok {
		delete(parts, "boost")
		if f := decode(b, &boost, "terms"); f != nil {
			return nil, f
		}
	}
	if len(parts) != 1 {
		return nil, parsing("[terms] query requires a field name, followed by array of terms or a document lookup specification")
	}
	field := firstKey(parts)
	if parts[field][0] != '[' {
		return nil, parsing("[terms] query does not support [%s]", field)
	}
	var list []json.RawMessage
	if f := decode(parts[field], &list, "terms"); f != nil {
		return nil, f
	}
	if len(list) > maxTerms {
		return nil, onShard("query_shard_exception", "failed to create query: The number of terms [%d] used in the Terms Query request has exceeded the allowed maximum of [%d]. This maximum can be set by changing the [index.max_terms_count] index level setting.", len(list), maxTerms)
	}
	return valuesOf(field, list, boost)
}

// valuesOf converts what a field is compared with. A field that is not mapped fits nothing.
func valuesOf(field string, list []json.RawMessage, boost float64) (query, *fault) {
	if mapping(field) == unmapped {
		return matchNone{}, nil
	}
	q := anyValue{field: field, boost: boost}
	for _, raw := range list {
		v, ok := mapping(field).parse(raw)
		if !ok {
			return nil, notComparable(raw)
		}
		q.values = append(q.values, v)
	}
	return q, nil
}

func notComparable(raw json.RawMessage) *fault {
	return onShard("query_shard_exception", "failed to create query: For input string: \"%s\"", plain(raw))
}

func parseRange(raw json.RawMessage) (query, *fault) {
	field, inner, f := single(raw, "range")
	if f != nil {
		return nil, f
	}
	var body struct {
		GTE   json.RawMessage `json:"gte"`
		GT    json.RawMessage `json:"gt"`
		LTE   json.RawMessage `json:"lte"`
		LT    json.RawMessage `json:"lt"`
		Boost *float64        `json:"boost"`
	}
	if f := known(inner, &body, "range"); f != nil {
		return nil, f
	}
	if mapping(field) == unmapped {
		return matchNone{}, nil
	}
	q := between{field: field, boost: orOne(body.Boost)}
	for _, bound := range []struct {
		raw  json.RawMessage
		into **value
	}{{body.GTE, &q.gte}, {body.GT, &q.gt}, {body.LTE, &q.lte}, {body.LT, &q.lt}} {
		if len(bound.raw) == 0 || string(bound.raw) == "null" {
			continue
		}
		v, ok := mapping(field).parse(bound.raw)
		if !ok {
			return nil, notComparable(bound.raw)
		}
		*bound.into = &v
	}
	return q, nil
}

func parseExists(raw json.RawMessage) (query, *fault) {
	var body struct {
		Field string   `json:"field"`
		Boost *float64 `json:"boost"`
	}
	f := known(raw, &body, "exists")
	return exists{field: body.Field, boost: orOne(body.Boost)}, f
}

func parseIDs(raw json.RawMessage) (query, *fault) {
	var body struct {
		Values []string `json:"values"`
		Boost  *float64 `json:"boost"`
	}
	if f := known(raw, &body, "ids"); f != nil {
		return nil, f
	}
	q := anyValue{field: "_id", boost: orOne(body.Boost)}
	for _, id := range body.Values {
		q.values = append(q.values, value{text: id})
	}
	return q, nil
}
