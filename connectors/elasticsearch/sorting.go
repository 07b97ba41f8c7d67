package elasticsearch

import (
	"strings"

	"github.com/portico-bff/portico/connectors/quick"
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

// appendTo writes the first of the two keys.
func (s sorting) appendTo(b []byte, m *model, n *names) []byte {
	field, missing := m.cfg.NameField, `,"missing":"_last"`
	switch s.by {
	case commerce.SortRelevance:
		field, missing = "_score", ""
	case commerce.SortNewest:
		field = m.cfg.NewestField
	case commerce.SortPriceAsc, commerce.SortPriceDesc:
		field = n.price
	case commerce.SortName:
	}
	order := `:{"order":"desc"`
	if s.ascending {
		order = `:{"order":"asc"`
	}
	b = append(quick.AppendText(append(b, '{'), field), order...)
	return append(append(b, missing...), "}}"...)
}
