package elasticsearch

import (
	"cmp"
	"encoding/json"
	"strconv"
)

// order is one key of a sort.
type order struct {
	field      string // "_score" for the score
	descending bool
}

const scoreField = "_score"

// parseSort reads "f", {"f":"asc"}, {"f":{"order":"asc"}} or a list of them.
func parseSort(raw json.RawMessage) ([]order, *fault) {
	if len(raw) == 0 {
		return nil, nil
	}
	list := []json.RawMessage{raw}
	if raw[0] == '[' {
		if f := decode(raw, &list, "sort"); f != nil {
			return nil, f
		}
	}
	orders := make([]order, len(list))
	for i, one := range list {
		o, f := parseOrder(one)
		if f != nil {
			return nil, f
		}
		orders[i] = o
	}
	return orders, nil
}

func parseOrder(raw json.RawMessage) (order, *fault) {
	if raw[0] == '"' {
		field := plain(raw)
		return order{field: field, descending: field == scoreField}, sortable(field)
	}
	field, inner, f := single(raw, "sort")
	if f != nil {
		return order{}, f
	}
	var body struct {
		Order   string `json:"order"`
		Missing string `json:"missing"`
	}
	if inner[0] == '"' {
		body.Order = plain(inner)
	} else if f := known(inner, &body, "field_sort"); f != nil {
		return order{}, f
	}
	o := order{field: field, descending: field == scoreField}
	switch body.Order {
	case "":
	case "asc", "desc":
		o.descending = body.Order == "desc"
	default:
		return o, illegal("No enum constant org.elasticsearch.search.sort.SortOrder.%s", body.Order)
	}
	if body.Missing != "" && body.Missing != "_last" {
		return o, illegal("the sandbox knows [missing] _last only")
	}
	return o, sortable(field)
}

func sortable(field string) *fault {
	if field == scoreField {
		return nil
	}
	if mapping(field) == unmapped {
		return onShard("query_shard_exception", "No mapping found for [%s] in order to sort on", field)
	}
	return aggregatable(field)
}

// key is what a hit is sorted by: a score, or a field's value.
type key struct {
	score float32
	value value
}

func (o order) key(h hit) key {
	if o.field == scoreField {
		return key{score: h.score}
	}
	values := h.doc.values(o.field)
	if len(values) == 0 {
		return key{value: missing(o.descending)}
	}
	best := values[0]
	for _, v := range values[1:] {
		if c := v.compare(best); c < 0 != o.descending && c != 0 {
			best = v
		}
	}
	return key{value: best}
}

func (o order) compare(a, b key) int {
	c := cmp.Or(cmp.Compare(a.score, b.score), a.value.compare(b.value))
	if o.descending {
		return -c
	}
	return c
}

// shown is a hit's key as its "sort" holds it.
func (o order) shown(k key) any {
	if o.field == scoreField {
		return k.score
	}
	return mapping(o.field).sortKey(k.value)
}

// parseAfter reads search_after.
func parseAfter(list []json.RawMessage, orders []order) ([]key, *fault) {
	if len(list) == 0 {
		return nil, nil
	}
	if len(orders) == 0 {
		return nil, onShard("illegal_argument_exception", "Sort must contain at least one field.")
	}
	if len(list) != len(orders) {
		return nil, onShard("illegal_argument_exception", "search_after has %d value(s) but sort has %d.", len(list), len(orders))
	}
	keys := make([]key, len(list))
	for i, raw := range list {
		refused := onShard("illegal_argument_exception", "Failed to parse search_after value for field [%s].", orders[i].field)
		if orders[i].field == scoreField {
			score, err := strconv.ParseFloat(string(raw), 32)
			if err != nil {
				return nil, refused
			}
			keys[i].score = float32(score)
			continue
		}
		v, ok := mapping(orders[i].field).parseSortKey(raw, orders[i].descending)
		if !ok {
			return nil, refused
		}
		keys[i].value = v
	}
	return keys, nil
}
