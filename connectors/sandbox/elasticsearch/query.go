package elasticsearch

import (
	"math"
	"slices"
)

// query is a parsed query. match answers whether a document fits, and how well.
type query interface {
	match(d *document) (score float64, ok bool)
}

type matchAll struct{ boost float64 }

func (q matchAll) match(*document) (float64, bool) { return q.boost, true }

type matchNone struct{}

func (matchNone) match(*document) (float64, bool) { return 0, false }

// anyValue fits documents that hold one of some values in a field: term, terms, ids.
type anyValue struct {
	field  string
	values []value
	boost  float64
}

func (q anyValue) match(d *document) (float64, bool) {
	// An analyzed field is compared token by token.
	for _, token := range d.tokens[q.field] {
		if slices.Contains(q.values, value{text: token}) {
			return q.boost, true
		}
	}
	for _, v := range d.values(q.field) {
		if slices.Contains(q.values, v) {
			return q.boost, true
		}
	}
	return 0, false
}

type exists struct {
	field string
	boost float64
}

func (q exists) match(d *document) (float64, bool) {
	return q.boost, len(d.values(q.field)) > 0 || len(d.tokens[q.field]) > 0
}

// between fits documents with a value within bounds; nil ones are open.
type between struct {
	field            string
	gte, gt, lte, lt *value
	boost            float64
}

func (q between) match(d *document) (float64, bool) {
	return q.boost, slices.ContainsFunc(d.values(q.field), q.holds)
}

func (q between) holds(v value) bool {
	return (q.gte == nil || v.compare(*q.gte) >= 0) && (q.gt == nil || v.compare(*q.gt) > 0) &&
		(q.lte == nil || v.compare(*q.lte) <= 0) && (q.lt == nil || v.compare(*q.lt) < 0)
}

// boolean combines queries; only must and should count for the score.
type boolQuery struct {
	must, should, filter, mustNot []query
	atLeast                       int // of should
	boost                         float64
}

func (q boolQuery) match(d *document) (float64, bool) {
	score := 0.0
	for _, clause := range q.mustNot {
		if _, ok := clause.match(d); ok {
			return 0, false
		}
	}
	for _, clause := range q.filter {
		if _, ok := clause.match(d); !ok {
			return 0, false
		}
	}
	for _, clause := range q.must {
		s, ok := clause.match(d)
		if !ok {
			return 0, false
		}
		score += s
	}
	fitting := 0
	for _, clause := range q.should {
		if s, ok := clause.match(d); ok {
			fitting++
			score += s
		}
	}
	return score * q.boost, fitting >= q.atLeast
}

// boosted is a field of a text query.
type boosted struct {
	name  string
	boost float64
}

// textQuery is match and multi_match.
type textQuery struct {
	text   string
	fields []boosted
	mode   string // best_fields, most_fields or cross_fields
	and    bool   // every token has to be there
	fuzzy  bool   // fuzziness AUTO
	prefix int    // letters that fuzziness leaves alone
	boost  float64
}

func (q textQuery) match(d *document) (float64, bool) {
	score, found := 0.0, false
	var analyzed []boosted
	for _, f := range q.fields {
		if mapping(f.name) == text {
			analyzed = append(analyzed, f)
			continue
		}
		if v, ok := mapping(f.name).read(q.text); ok && slices.Contains(d.values(f.name), v) {
			score, found = max(score, f.boost*exactScore), true
		}
	}
	groups := make([][]boosted, len(analyzed))
	for i, f := range analyzed {
		groups[i] = []boosted{f}
	}
	if q.mode == "cross_fields" && len(analyzed) > 0 {
		groups = [][]boosted{analyzed}
	}
	for _, group := range groups {
		s, ok := q.inFields(d, group)
		switch {
		case !ok:
		case q.mode == "most_fields":
			score, found = score+s, true
		default:
			score, found = max(score, s), true
		}
	}
	return score * q.boost, found
}

// exactScore is what a whole value that fits is worth beside single words.
const exactScore = 4

// inFields looks for the query's tokens in some fields together; each counts where it fits best.
func (q textQuery) inFields(d *document, fields []boosted) (float64, bool) {
	tokens := analyze(q.text)
	score, fitting := 0.0, 0
	for _, token := range tokens {
		best := 0.0
		for _, f := range fields {
			best = max(best, f.boost*q.weight(d.tokens[f.name], token))
		}
		if best > 0 {
			fitting++
			score += best
		}
	}
	if q.and && fitting < len(tokens) {
		return 0, false
	}
	return score, fitting > 0
}

// weight is how much a token tells in a field: more often is more, a longer field less.
func (q textQuery) weight(field []string, token string) float64 {
	times := 0
	limit := edits(token)
	for _, t := range field {
		if t == token || q.fuzzy && near(t, token, limit, q.prefix) {
			times++
		}
	}
	if times == 0 {
		return 0
	}
	return math.Sqrt(float64(times)) / math.Sqrt(float64(len(field)))
}
