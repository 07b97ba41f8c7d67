package elasticsearch

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/portico-bff/portico/schema/commerce"
)

// Limits on one search that no shopper's reaches.
const (
	maxChoices     = 50  // values chosen of one facet
	maxChoiceBytes = 200 // of one value
	maxValues      = 50  // values of one facet that are answered
)

// search is a query that was checked and turned into what the upstream understands.
type search struct {
	query   commerce.SearchQuery
	names   *strings.Replacer // fills the market into field names
	sort    sorting
	choices map[string]wireQuery // filters of chosen facets, by code
	sum     string               // identifies everything that a cursor depends on
	body    wireSearch
}

func invalid(field string, code commerce.Code, message string) error {
	return &commerce.InputError{Field: field, Code: code, Message: message}
}

// plan checks a query and writes the call's body. Bad input costs no call.
func (m *model) plan(market commerce.Market, q commerce.SearchQuery) (*search, error) {
	if err := m.check(market, q); err != nil {
		return nil, err
	}
	s := &search{query: q, names: strings.NewReplacer("{language}", m.language(market.Locale), "{currency}", market.Currency)}
	s.sort = m.sorting(q)
	filters, err := m.filters(s)
	if err != nil {
		return nil, err
	}
	if err := m.choose(s); err != nil {
		return nil, err
	}
	s.sum = fingerprint(s.names.Replace("{language}/{currency}"), q)
	after, err := parseCursor(q.After, s.sum, s.sort)
	if err != nil {
		return nil, err
	}
	s.body = wireSearch{
		Size: q.First + 1, TrackTotalHits: true, Source: []string{m.cfg.SKUField},
		Query:      wireQuery{Bool: &wireBool{Must: m.text(s), Filter: filters}},
		PostFilter: s.chosen(""), Aggs: m.aggregations(s),
		Sort: s.sort.wire(m, s.names), SearchAfter: after,
	}
	return s, nil
}

func (m *model) check(market commerce.Market, q commerce.SearchQuery) error {
	if utf8.RuneCountInString(q.Text) > commerce.MaxText {
		return invalid("text", commerce.CodeTooLong, "must be at most 200 characters long")
	}
	if !utf8.ValidString(q.Text) {
		return invalid("text", commerce.CodeInvalid, "must be UTF-8")
	}
	if _, err := commerce.ParseFirst("first", q.First); err != nil {
		return err
	}
	if q.Sort != "" && !slices.Contains(commerce.Sorts, q.Sort) {
		return invalid("sort", commerce.CodeUnsupported, "must be a known order")
	}
	if !m.currencies[market.Currency] {
		return invalid("currency", commerce.CodeUnsupported, "must be a currency that prices are indexed in")
	}
	return nil
}

// text is what has to match and gives the score: every word in some field, or the whole text
// as a SKU. Words that were mistyped a little count less.
func (m *model) text(s *search) []wireQuery {
	text := strings.TrimSpace(s.query.Text)
	if text == "" {
		return nil
	}
	fields, fuzzy := make([]string, len(m.cfg.TextFields)), []string(nil)
	for i, field := range m.cfg.TextFields {
		fields[i] = s.names.Replace(field)
		if !strings.Contains(field, "{language}") {
			fuzzy = append(fuzzy, fields[i])
		}
	}
	const exact, mistyped = 10, 0.2
	should := []wireQuery{
		{MultiMatch: &wireMultiMatch{Query: text, Fields: fields, Type: "cross_fields", Operator: "and"}},
		{Term: map[string]wireTerm{m.cfg.SKUTextField: {Value: text, Boost: exact}}},
	}
	if len(fuzzy) > 0 {
		should = append(should, wireQuery{MultiMatch: &wireMultiMatch{
			Query: text, Fields: fuzzy, Type: "best_fields", Operator: "and", Fuzziness: "AUTO", PrefixLength: 1, Boost: mistyped,
		}})
	}
	return []wireQuery{{Bool: &wireBool{Should: should, MinimumShouldMatch: 1}}}
}

// filters are those that narrow the facets' counts too.
func (m *model) filters(s *search) ([]wireQuery, error) {
	var list []wireQuery
	f := s.query.Filter
	if f.Category != "" {
		id, err := commerce.ParseCategoryID("filter.category", string(f.Category))
		if err != nil {
			return nil, err
		}
		list = append(list, wireQuery{Term: map[string]wireTerm{m.cfg.CategoryField: {Value: string(id)}}})
	}
	for field, bound := range map[string]string{"filter.priceMin": f.PriceMin, "filter.priceMax": f.PriceMax} {
		if bound != "" && !decimalPattern.MatchString(bound) {
			return nil, invalid(field, commerce.CodeInvalid, "must be a decimal number of at most 4 places")
		}
	}
	if f.PriceMin != "" && f.PriceMax != "" && compareDecimals(f.PriceMin, f.PriceMax) > 0 {
		return nil, invalid("filter.priceMax", commerce.CodeOutOfRange, "must not be below priceMin")
	}
	if f.PriceMin != "" || f.PriceMax != "" {
		price := wireRange{GTE: json.Number(f.PriceMin), LTE: json.Number(f.PriceMax)}
		list = append(list, wireQuery{Range: map[string]wireRange{s.names.Replace(m.cfg.PriceField): price}})
	}
	if f.InStock {
		list = append(list, wireQuery{Term: map[string]wireTerm{m.cfg.StockField: {Value: true}}})
	}
	return list, nil
}

// choose turns chosen facets into filters.
func (m *model) choose(s *search) error {
	s.choices = map[string]wireQuery{}
	for code, values := range s.query.Filter.Facets {
		if len(values) == 0 {
			continue
		}
		if len(values) > maxChoices {
			return invalid("filter", commerce.CodeOutOfRange, "must hold at most 50 values of one facet")
		}
		if slices.ContainsFunc(values, func(v string) bool { return len(v) > maxChoiceBytes || !utf8.ValidString(v) }) {
			return invalid("filter", commerce.CodeTooLong, "must hold values of at most 200 bytes of UTF-8")
		}
		filter, err := m.choice(s, code, values)
		if err != nil {
			return err
		}
		s.choices[code] = filter
	}
	return nil
}

// choice is the filter for values of one facet, any of which may hold.
func (m *model) choice(s *search, code string, values []string) (wireQuery, error) {
	if code == priceFacet && len(m.steps) > 0 {
		return m.priceChoice(s, values)
	}
	i := slices.IndexFunc(m.facets, func(f facet) bool { return f.code == code })
	if i < 0 {
		return wireQuery{}, invalid("filter", commerce.CodeUnsupported, "must name known facets only")
	}
	return wireQuery{Terms: map[string][]string{m.facets[i].field: slices.Compact(slices.Sorted(slices.Values(values)))}}, nil
}

func (m *model) priceChoice(s *search, values []string) (wireQuery, error) {
	either := wireBool{MinimumShouldMatch: 1}
	for _, value := range values {
		i := slices.IndexFunc(m.steps, func(st step) bool { return st.value == value })
		if i < 0 {
			return wireQuery{}, invalid("filter", commerce.CodeUnsupported, "must name known price ranges only")
		}
		r := wireRange{GTE: json.Number(m.steps[i].from), LT: json.Number(m.steps[i].to)}
		either.Should = append(either.Should, wireQuery{Range: map[string]wireRange{s.names.Replace(m.cfg.PriceField): r}})
	}
	return wireQuery{Bool: &either}, nil
}

// chosen are the filters of all chosen facets but one; nil when there is none.
func (s *search) chosen(but string) *wireQuery {
	all := &wireBool{Filter: []wireQuery{}}
	codes := make([]string, 0, len(s.choices))
	for code := range s.choices {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
		if code != but {
			all.Filter = append(all.Filter, s.choices[code])
		}
	}
	if len(all.Filter) == 0 {
		return nil
	}
	return &wireQuery{Bool: all}
}

// valuesName is what the aggregation inside each facet's filter is called.
const valuesName = "values"

// aggregations counts each facet's values among what the other facets' choices leave.
func (m *model) aggregations(s *search) map[string]wireAggregation {
	aggs := map[string]wireAggregation{}
	add := func(code string, values wireAggregation) {
		others := s.chosen(code)
		if others == nil {
			others = &wireQuery{MatchAll: &struct{}{}}
		}
		aggs[code] = wireAggregation{Filter: others, Aggs: map[string]wireAggregation{valuesName: values}}
	}
	for _, f := range m.facets {
		field := f.field
		if f.labels != "" {
			field = f.labels
		}
		add(f.code, wireAggregation{Terms: &wireTermsAggregation{Field: field, Size: maxValues}})
	}
	if len(m.steps) > 0 {
		ranges := make([]wireStep, len(m.steps))
		for i, st := range m.steps {
			ranges[i] = wireStep{Key: st.value, From: json.Number(st.from), To: json.Number(st.to)}
		}
		add(priceFacet, wireAggregation{Range: &wireRangeAggregation{Field: s.names.Replace(m.cfg.PriceField), Ranges: ranges}})
	}
	return aggs
}
