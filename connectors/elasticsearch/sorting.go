package elasticsearch

import (
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// sorting is an order of the index: by one key, then by SKU, so that it is total.
type sorting struct {
	by        commerce.Sort
	numbers   bool // the first key is a number or a date
	ascending bool
}

// sorting is the query's order: by default relevance with a text and name without.
func (m *model) sorting(q commerce.SearchQuery) sorting {
	by := q.Sort
	if by == "" && strings.TrimSpace(q.Text) != "" {
		by = commerce.SortRelevance
	}
	switch by {
	case commerce.SortRelevance, commerce.SortNewest, commerce.SortPriceDesc:
		return sorting{by: by, numbers: true}
	case commerce.SortPriceAsc:
		return sorting{by: by, numbers: true, ascending: true}
	default:
		return sorting{by: commerce.SortName, ascending: true}
	}
}

func (s sorting) wire(m *model, names *strings.Replacer) []map[string]wireOrder {
	first := wireOrder{Order: "desc", Missing: "_last"}
	if s.ascending {
		first.Order = "asc"
	}
	field := m.cfg.NameField
	switch s.by {
	case commerce.SortRelevance:
		field, first.Missing = "_score", ""
	case commerce.SortNewest:
		field = m.cfg.NewestField
	case commerce.SortPriceAsc, commerce.SortPriceDesc:
		field = names.Replace(m.cfg.PriceField)
	case commerce.SortName:
	}
	return []map[string]wireOrder{{field: first}, {m.cfg.SKUField: {Order: "asc"}}}
}
