package odoo

import (
	"cmp"
	"slices"
	"strings"
)

// term is one part of an order: "date_order desc".
type term struct {
	field string
	desc  bool
}

// sort puts rows into the order asked for, or the model's own. Empty values come last, as in PostgreSQL.
func (d *dialect) sort(c *env, m *model, rows []row, order string) error {
	if order == "" {
		order = m.order
	}
	terms, err := parseOrder(m, order)
	if err != nil {
		return err
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		for _, t := range terms {
			n := compareForOrder(m.fields[t.field], a.value(c, t.field), b.value(c, t.field))
			if t.desc {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
	return nil
}

func parseOrder(m *model, order string) ([]term, error) {
	var terms []term
	for part := range strings.SplitSeq(order, ",") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		if _, ok := m.fields[words[0]]; !ok {
			return nil, valueError("Invalid field '%s' on model '%s'", words[0], m.name)
		}
		t := term{field: words[0]}
		switch {
		case len(words) == 1 || len(words) == 2 && strings.EqualFold(words[1], "asc"):
		case len(words) == 2 && strings.EqualFold(words[1], "desc"):
			t.desc = true
		default:
			return nil, valueError("Invalid \"order\" specified (%s)", order)
		}
		terms = append(terms, t)
	}
	return terms, nil
}

func compareForOrder(f field, a, b any) int {
	if empty(a) || empty(b) {
		return cmp.Compare(boolToInt(empty(a)), boolToInt(empty(b)))
	}
	if ra, ok := a.(ref); ok {
		rb, _ := b.(ref)
		return cmp.Compare(ra.name, rb.name)
	}
	n, _ := compareValues(f, a, wire(f, b))
	return n
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
