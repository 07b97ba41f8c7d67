package elasticsearch

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/portico-bff/portico/connectors/quick"
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
	names   *names
	sort    sorting
	filters []byte   // the queries that narrow the facets' counts too, with commas between them
	choices []choice // by code
	sum     string   // identifies everything that a cursor depends on
	body    []byte
}

// choice is the query that holds for what is chosen of a facet.
type choice struct {
	code  string
	query []byte
}

func invalid(field string, code commerce.Code, message string) error {
	return &commerce.InputError{Field: field, Code: code, Message: message}
}

// plan checks a query and writes the call's body. Bad input costs no call.
func (m *model) plan(market commerce.Market, q commerce.SearchQuery) (*search, error) {
	if err := m.check(market, q); err != nil {
		return nil, err
	}
	s := &search{query: q, names: m.names[[2]string{m.language(market.Locale), market.Currency}]}
	s.sort = m.sorting(q)
	var err error
	if s.filters, err = m.filters(s); err != nil {
		return nil, err
	}
	if err := m.choose(s); err != nil {
		return nil, err
	}
	s.sum = fingerprint(s.names.market, q)
	after, err := parseCursor(q.After, s.sum, s.sort)
	if err != nil {
		return nil, err
	}
	s.body, err = m.request(s, after)
	return s, err
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

// filters are those that narrow the facets' counts too.
func (m *model) filters(s *search) ([]byte, error) {
	f := s.query.Filter
	if f.Category != "" && !commerce.IsCategoryID(string(f.Category)) {
		_, err := commerce.ParseCategoryID("filter.category", string(f.Category))
		return nil, err
	}
	for _, bound := range [2][2]string{{"filter.priceMin", f.PriceMin}, {"filter.priceMax", f.PriceMax}} {
		if bound[1] != "" && !decimalPattern.MatchString(bound[1]) {
			return nil, invalid(bound[0], commerce.CodeInvalid, "must be a decimal number of at most 4 places")
		}
	}
	if f.PriceMin != "" && f.PriceMax != "" && compareDecimals(f.PriceMin, f.PriceMax) > 0 {
		return nil, invalid("filter.priceMax", commerce.CodeOutOfRange, "must not be below priceMin")
	}
	if f.Category == "" && f.PriceMin == "" && f.PriceMax == "" && !f.InStock {
		return nil, nil
	}
	const usual = 256 // bytes of all of them
	list := make([]byte, 0, usual)
	if f.Category != "" {
		list = quick.AppendText(appendTerm(list, m.cfg.CategoryField), f.Category)
		list = append(list, "}}}"...)
	}
	if f.PriceMin != "" || f.PriceMax != "" {
		list = appendRange(comma(list), s.names.price, bounds{from: f.PriceMin, upTo: f.PriceMax})
	}
	if f.InStock {
		list = append(appendTerm(comma(list), m.cfg.StockField), "true}}}"...)
	}
	return list, nil
}

// choose turns chosen facets into queries.
func (m *model) choose(s *search) error {
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
		query, err := m.choice(s, code, values)
		if err != nil {
			return err
		}
		s.choices = append(s.choices, choice{code, query})
	}
	slices.SortFunc(s.choices, func(a, b choice) int { return cmp.Compare(a.code, b.code) })
	return nil
}

// choice is the query for values of one facet, any of which may hold.
func (m *model) choice(s *search, code string, values []string) ([]byte, error) {
	if code == priceFacet && len(m.steps) > 0 {
		return m.priceChoice(s, values)
	}
	i := slices.IndexFunc(m.facets, func(f facet) bool { return f.code == code })
	if i < 0 {
		return nil, invalid("filter", commerce.CodeUnsupported, "must name known facets only")
	}
	return appendTerms(nil, m.facets[i].field, slices.Compact(slices.Sorted(slices.Values(values)))), nil
}

func (m *model) priceChoice(s *search, values []string) ([]byte, error) {
	query := []byte(`{"bool":{"should":[`)
	for n, value := range values {
		i := slices.IndexFunc(m.steps, func(st step) bool { return st.value == value })
		if i < 0 {
			return nil, invalid("filter", commerce.CodeUnsupported, "must name known price ranges only")
		}
		if n > 0 {
			query = append(query, ',')
		}
		query = appendRange(query, s.names.price, bounds{from: m.steps[i].from, below: m.steps[i].to})
	}
	return append(query, `],"minimum_should_match":1}}`...), nil
}
