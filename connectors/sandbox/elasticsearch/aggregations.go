package elasticsearch

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
)

// aggregation is a parsed aggregation; run answers what goes out under its name.
type aggregation interface {
	run(docs []*document) any
}

type aggregations map[string]aggregation

// addTo puts the results of aggregations over docs beside what else a bucket says.
func (a aggregations) addTo(bucket object, docs []*document) object {
	for name, agg := range a {
		bucket[name] = agg.run(docs)
	}
	return bucket
}

// parseAggregations reads {"<name>": {"<kind>": …, "aggs": …}}.
func parseAggregations(raw json.RawMessage) (aggregations, *fault) {
	if len(raw) == 0 {
		return nil, nil
	}
	var named map[string]rawObject
	if f := decode(raw, &named, "aggs"); f != nil {
		return nil, f
	}
	aggs := aggregations{}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		agg, f := parseAggregation(name, named[name])
		if f != nil {
			return nil, f
		}
		aggs[name] = agg
	}
	return aggs, nil
}

func parseAggregation(name string, parts rawObject) (aggregation, *fault) {
	inner := parts["aggs"]
	if len(inner) == 0 {
		inner = parts["aggregations"]
	}
	subs, f := parseAggregations(inner)
	if f != nil {
		return nil, f
	}
	delete(parts, "aggs")
	delete(parts, "aggregations")
	switch len(parts) {
	case 0:
		return nil, parsing("Missing definition for aggregation [%s]", name)
	case 1:
	default:
		return nil, parsing("Found two aggregation type definitions in [%s]", name)
	}
	kind := firstKey(parts)
	switch raw := parts[kind]; kind {
	case "terms":
		return parseTermsAggregation(raw, subs)
	case "range":
		return parseRangeAggregation(raw, subs)
	case "filter":
		q, f := parseQuery(raw)
		return filterAggregation{query: q, subs: subs}, f
	case "min", "max":
		return parseExtreme(kind, raw, subs)
	default:
		return nil, unknownName("Unknown aggregation type", kind)
	}
}

// aggregatable refuses fields without doc values.
func aggregatable(field string) *fault {
	if mapping(field) == text {
		return onShard("illegal_argument_exception", "Fielddata is disabled on [%s] in [%s]. Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead.", field, DefaultIndex)
	}
	return nil
}

type filterAggregation struct {
	query query
	subs  aggregations
}

func (a filterAggregation) run(docs []*document) any {
	var fitting []*document
	for _, d := range docs {
		if _, ok := a.query.match(d); ok {
			fitting = append(fitting, d)
		}
	}
	return a.subs.addTo(object{"doc_count": len(fitting)}, fitting)
}

type termsAggregation struct {
	field   string
	size    int
	atLeast int
	byKey   bool
	subs    aggregations
}

func parseTermsAggregation(raw json.RawMessage, subs aggregations) (aggregation, *fault) {
	body := struct {
		Field    string            `json:"field"`
		Size     int               `json:"size"`
		MinCount int               `json:"min_doc_count"`
		Order    map[string]string `json:"order"`
	}{Size: 10, MinCount: 1}
	if f := known(raw, &body, "terms"); f != nil {
		return nil, f
	}
	if body.Size <= 0 {
		return nil, illegal("[size] must be greater than 0. Found [%d] in [terms]", body.Size)
	}
	_, byKey := body.Order["_key"]
	return termsAggregation{field: body.Field, size: body.Size, atLeast: body.MinCount, byKey: byKey, subs: subs}, aggregatable(body.Field)
}

func (a termsAggregation) run(docs []*document) any {
	groups := map[value][]*document{}
	for _, d := range docs {
		for _, v := range slices.Compact(slices.Clone(d.values(a.field))) {
			groups[v] = append(groups[v], d)
		}
	}
	keys := slices.Collect(maps.Keys(groups))
	slices.SortFunc(keys, func(x, y value) int {
		if a.byKey {
			return x.compare(y)
		}
		return cmp.Or(cmp.Compare(len(groups[y]), len(groups[x])), x.compare(y))
	})
	buckets, others := []object{}, 0
	for _, v := range keys {
		switch n := len(groups[v]); {
		case n < a.atLeast:
		case len(buckets) == a.size:
			others += n
		default:
			bucket := object{"doc_count": n}
			key, asText := mapping(a.field).bucketKey(v)
			if bucket["key"] = key; asText != "" {
				bucket["key_as_string"] = asText
			}
			buckets = append(buckets, a.subs.addTo(bucket, groups[v]))
		}
	}
	return object{"doc_count_error_upper_bound": 0, "sum_other_doc_count": others, "buckets": buckets}
}

type span struct {
	key      string
	from, to *value
}

type rangeAggregation struct {
	field string
	spans []span
	subs  aggregations
}

func parseRangeAggregation(raw json.RawMessage, subs aggregations) (aggregation, *fault) {
	var body struct {
		Field  string `json:"field"`
		Ranges []struct {
			Key  string          `json:"key"`
			From json.RawMessage `json:"from"`
			To   json.RawMessage `json:"to"`
		} `json:"ranges"`
	}
	if f := known(raw, &body, "range"); f != nil {
		return nil, f
	}
	if len(body.Ranges) == 0 {
		return nil, illegal("No [ranges] specified for the [range] aggregation")
	}
	agg := rangeAggregation{field: body.Field, subs: subs}
	for _, r := range body.Ranges {
		s := span{key: r.Key}
		for _, bound := range []struct {
			raw  json.RawMessage
			into **value
		}{{r.From, &s.from}, {r.To, &s.to}} {
			if len(bound.raw) == 0 {
				continue
			}
			v, ok := double.parse(bound.raw)
			if !ok {
				return nil, parsing("[range] failed to parse [ranges]")
			}
			*bound.into = &v
		}
		agg.spans = append(agg.spans, s)
	}
	return agg, aggregatable(body.Field)
}

func (a rangeAggregation) run(docs []*document) any {
	buckets := make([]object, len(a.spans))
	for i, s := range a.spans {
		within := between{field: a.field, gte: s.from, lt: s.to}
		var fitting []*document
		for _, d := range docs {
			if _, ok := within.match(d); ok {
				fitting = append(fitting, d)
			}
		}
		buckets[i] = a.subs.addTo(s.bucket(len(fitting)), fitting)
	}
	return object{"buckets": buckets}
}

func (s span) bucket(count int) object {
	bucket, from, to := object{"doc_count": count}, "*", "*"
	if s.from != nil {
		from = decimal(s.from.number)
		bucket["from"] = json.Number(from)
	}
	if s.to != nil {
		to = decimal(s.to.number)
		bucket["to"] = json.Number(to)
	}
	if bucket["key"] = s.key; s.key == "" {
		bucket["key"] = from + "-" + to
	}
	return bucket
}

// extreme is min and max.
type extreme struct {
	field string
	most  bool
}

func parseExtreme(kind string, raw json.RawMessage, subs aggregations) (aggregation, *fault) {
	var body struct {
		Field string `json:"field"`
	}
	if f := known(raw, &body, kind); f != nil {
		return nil, f
	}
	if len(subs) > 0 {
		return nil, illegal("Aggregator [%s] of type [%s] cannot accept sub-aggregations", kind, kind)
	}
	return extreme{field: body.Field, most: kind == "max"}, aggregatable(body.Field)
}

func (a extreme) run(docs []*document) any {
	var all []value
	for _, d := range docs {
		all = append(all, d.values(a.field)...)
	}
	if len(all) == 0 {
		return object{"value": nil}
	}
	found := slices.MinFunc(all, value.compare)
	if a.most {
		found = slices.MaxFunc(all, value.compare)
	}
	key, _ := mapping(a.field).bucketKey(found)
	return object{"value": key}
}
