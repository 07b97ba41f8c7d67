package elasticsearch

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/portico-bff/portico/connectors/quick"
)

// A search is written by hand: what does not vary is written once, when the connector begins.

// names are what the index calls things in a language and a currency.
type names struct {
	market   string    // both of them
	fields   []byte    // those of texts, as a JSON list
	mistyped []byte    // those of them that may be mistyped; empty when there are none
	price    string    // the price's field
	facets   []counted // by code
	open     []byte    // the aggregations while nothing is chosen
}

// counted is a facet and the aggregation of its values.
type counted struct {
	code   string
	values []byte
}

// valuesName is what the aggregation inside each facet's filter is called.
const valuesName = "values"

func (m *model) namesIn(language, currency string) *names {
	replace := strings.NewReplacer("{language}", language, "{currency}", currency).Replace
	n := &names{market: language + "/" + currency, price: replace(m.cfg.PriceField)}
	var all, mistyped []string
	for _, field := range m.cfg.TextFields {
		all = append(all, replace(field))
		if !strings.Contains(field, "{language}") {
			mistyped = append(mistyped, replace(field))
		}
	}
	n.fields = appendList(nil, all)
	if len(mistyped) > 0 {
		n.mistyped = appendList(nil, mistyped)
	}
	for _, f := range m.facets {
		values := quick.AppendText([]byte(`{"terms":{"field":`), cmp.Or(f.labels, f.field))
		values = strconv.AppendInt(append(values, `,"size":`...), maxValues, 10)
		n.facets = append(n.facets, counted{f.code, append(values, "}}"...)})
	}
	if len(m.steps) > 0 {
		n.facets = append(n.facets, counted{priceFacet, m.ranges(n.price)})
	}
	slices.SortFunc(n.facets, func(a, b counted) int { return cmp.Compare(a.code, b.code) })
	n.open = (&search{names: n}).appendFacets(nil)
	return n
}

// ranges is the aggregation of prices.
func (m *model) ranges(field string) []byte {
	b := append(quick.AppendText([]byte(`{"range":{"field":`), field), `,"ranges":[`...)
	for i, st := range m.steps {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(quick.AppendText(append(b, `{"key":`...), st.value), `,"from":`...)
		b = append(b, st.from...)
		if st.to != "" {
			b = append(append(b, `,"to":`...), st.to...)
		}
		b = append(b, '}')
	}
	return append(b, "]}}"...)
}

// request is what is sent for a search, from right behind these sort values on.
func (m *model) request(s *search, after []json.RawMessage) ([]byte, error) {
	const least, texts = 512, 8 // what is around it all, and how often a text may come, with escapes
	b := make([]byte, 0, least+len(s.names.open)+2*len(s.names.fields)+len(s.filters)+texts*len(s.query.Text))
	b = strconv.AppendInt(append(b, `{"size":`...), int64(s.query.First)+1, 10)
	b = quick.AppendText(append(b, `,"track_total_hits":true,"_source":[`...), m.cfg.SKUField)
	b = append(b, `],"query":{"bool":{`...)
	text := strings.TrimSpace(s.query.Text)
	if text != "" {
		b = append(m.appendText(append(b, `"must":[`...), s, text), ']')
	}
	if text != "" && len(s.filters) > 0 {
		b = append(b, ',')
	}
	if len(s.filters) > 0 {
		b = append(append(append(b, `"filter":[`...), s.filters...), ']')
	}
	b = append(b, "}}"...)
	if len(s.choices) > 0 {
		b, _ = s.appendChosen(append(b, `,"post_filter":`...), "")
	}
	switch {
	case s.query.NoFacets:
	case len(s.choices) > 0:
		b = s.appendFacets(b)
	default:
		b = append(b, s.names.open...)
	}
	b = s.sort.appendTo(append(b, `,"sort":[`...), m, s.names)
	b = quick.AppendText(append(b, `,{`...), m.cfg.SKUField)
	b = append(b, `:{"order":"asc"}}]`...)
	if len(after) > 0 {
		values, err := json.Marshal(after) // a client's: it may be written in any way
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"search_after":`...), values...)
	}
	return append(b, '}'), nil
}

// appendText writes what has to match and gives the score: every word in some field, or the whole
// text as a SKU. Words that were mistyped a little count less.
func (m *model) appendText(b []byte, s *search, text string) []byte {
	b = appendMatch(append(b, `{"bool":{"should":[`...), text, s.names.fields)
	b = append(b, `,"type":"cross_fields","operator":"and"}},{"term":{`...)
	b = append(quick.AppendText(b, m.cfg.SKUTextField), `:{"value":`...)
	b = append(quick.AppendText(b, text), `,"boost":10}}}`...)
	if len(s.names.mistyped) > 0 {
		b = appendMatch(append(b, ','), text, s.names.mistyped)
		b = append(b, `,"type":"best_fields","operator":"and","fuzziness":"AUTO","prefix_length":1,"boost":0.2}}`...)
	}
	return append(b, `],"minimum_should_match":1}}`...)
}

// appendMatch begins a match of several fields.
func appendMatch(b []byte, text string, fields []byte) []byte {
	b = quick.AppendText(append(b, `{"multi_match":{"query":`...), text)
	return append(append(b, `,"fields":`...), fields...)
}

// appendFacets counts each facet's values among what the other facets' choices leave.
func (s *search) appendFacets(b []byte) []byte {
	for i, f := range s.names.facets {
		if i == 0 {
			b = append(b, `,"aggs":{`...)
		} else {
			b = append(b, ',')
		}
		b = append(quick.AppendText(b, f.code), `:{"filter":`...)
		var some bool
		if b, some = s.appendChosen(b, f.code); !some {
			b = append(b, `{"match_all":{}}`...)
		}
		b = append(append(b, `,"aggs":{"`+valuesName+`":`...), f.values...)
		b = append(b, "}}"...)
	}
	if len(s.names.facets) > 0 {
		b = append(b, '}')
	}
	return b
}

// appendChosen writes the queries of all chosen facets but one, if there are any.
func (s *search) appendChosen(b []byte, but string) (written []byte, some bool) {
	for _, c := range s.choices {
		switch {
		case c.code == but:
			continue
		case some:
			b = append(b, ',')
		default:
			b, some = append(b, `{"bool":{"filter":[`...), true
		}
		b = append(b, c.query...)
	}
	if some {
		b = append(b, "]}}"...)
	}
	return b, some
}

// comma goes behind what is not the first.
func comma(list []byte) []byte {
	if len(list) == 0 {
		return list
	}
	return append(list, ',')
}

// appendTerm begins a term, up to its value.
func appendTerm(b []byte, field string) []byte {
	return append(quick.AppendText(append(b, `{"term":{`...), field), `:{"value":`...)
}

func appendTerms(b []byte, field string, values []string) []byte {
	b = append(quick.AppendText(append(b, `{"terms":{`...), field), ':')
	return append(appendList(b, values), "}}"...)
}

// bounds are numbers as texts; what is empty is open.
type bounds struct{ from, upTo, below string }

func appendRange(b []byte, field string, in bounds) []byte {
	b = append(quick.AppendText(append(b, `{"range":{`...), field), ':')
	begin := byte('{')
	for _, bound := range [3][2]string{{`"gte":`, in.from}, {`"lte":`, in.upTo}, {`"lt":`, in.below}} {
		if bound[1] != "" {
			b = append(append(append(b, begin), bound[0]...), bound[1]...)
			begin = ','
		}
	}
	return append(b, "}}}"...)
}

func appendList(b []byte, texts []string) []byte {
	b = append(b, '[')
	for i, text := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = quick.AppendText(b, text)
	}
	return append(b, ']')
}
