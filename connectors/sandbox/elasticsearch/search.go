package elasticsearch

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// maxWindow is index.max_result_window; countLimit is where totals stop being exact by default.
const (
	maxWindow  = 10_000
	countLimit = 10_000
)

// searchBody is what _search takes. Keys that the sandbox would not honor are not known.
type searchBody struct {
	Query        json.RawMessage   `json:"query"`
	PostFilter   json.RawMessage   `json:"post_filter"`
	Aggs         json.RawMessage   `json:"aggs"`
	Aggregations json.RawMessage   `json:"aggregations"`
	Sort         json.RawMessage   `json:"sort"`
	After        []json.RawMessage `json:"search_after"`
	From         int               `json:"from"`
	Size         *int              `json:"size"`
	TrackTotal   json.RawMessage   `json:"track_total_hits"`
	TrackScores  bool              `json:"track_scores"`
	Source       json.RawMessage   `json:"_source"`
	Timeout      string            `json:"timeout"`
}

// request is a search that is understood.
type request struct {
	query      query
	postFilter query
	aggs       aggregations
	orders     []order
	after      []key
	from, size int
	countTo    int // totals above it are not exact; -1 counts nothing
	scores     bool
	source     sourceFilter
}

type hit struct {
	doc   *document
	score float32
}

type hitBody struct {
	Index  string          `json:"_index"`
	ID     string          `json:"_id"`
	Score  *float32        `json:"_score"`
	Source json.RawMessage `json:"_source,omitempty"`
	Sort   []any           `json:"sort,omitempty"`
}

type totalBody struct {
	Value    int    `json:"value"`
	Relation string `json:"relation"`
}

type hitsBody struct {
	Total    *totalBody `json:"total,omitempty"`
	MaxScore *float32   `json:"max_score"`
	Hits     []hitBody  `json:"hits"`
}

type shardsBody struct {
	Total      int `json:"total"`
	Successful int `json:"successful"`
	Skipped    int `json:"skipped"`
	Failed     int `json:"failed"`
}

type searchAnswer struct {
	Took         int        `json:"took"`
	TimedOut     bool       `json:"timed_out"`
	Shards       shardsBody `json:"_shards"`
	Hits         hitsBody   `json:"hits"`
	Aggregations object     `json:"aggregations,omitempty"`
}

var oneShard = shardsBody{Total: 1, Successful: 1}

// search answers _search.
func (s *server) search(c call) (any, *fault) {
	r, f := parseSearch(c.body)
	if f != nil {
		return nil, f.located(c.body)
	}
	var docs []*document
	var hits []hit
	for _, d := range s.docs {
		score, ok := r.query.match(d)
		if !ok {
			continue
		}
		docs = append(docs, d)
		if _, ok := r.postFilter.match(d); ok {
			hits = append(hits, hit{doc: d, score: float32(score)})
		}
	}
	answer := searchAnswer{Took: 1, Shards: oneShard, Hits: r.page(s.opts.Index, hits)}
	if len(r.aggs) > 0 {
		answer.Aggregations = r.aggs.addTo(object{}, docs)
	}
	return answer, nil
}

func parseSearch(body []byte) (request, *fault) {
	var sent searchBody
	if len(bytes.TrimSpace(body)) > 0 {
		if f := knownKeys(body, &sent); f != nil {
			return request{}, f
		}
	}
	r := request{from: sent.From, size: 10, scores: sent.TrackScores}
	if sent.Size != nil {
		r.size = *sent.Size
	}
	if len(sent.Aggs) == 0 {
		sent.Aggs = sent.Aggregations
	}
	steps := []func() *fault{
		func() (f *fault) { r.query, f = queryOr(sent.Query); return },
		func() (f *fault) { r.postFilter, f = queryOr(sent.PostFilter); return },
		func() (f *fault) { r.aggs, f = parseAggregations(sent.Aggs); return },
		func() (f *fault) { r.orders, f = parseSort(sent.Sort); return },
		func() (f *fault) { r.after, f = parseAfter(sent.After, r.orders); return },
		func() (f *fault) { r.countTo, f = parseTrackTotal(sent.TrackTotal); return },
		func() (f *fault) { r.source, f = parseSourceFilter(sent.Source); return },
		r.checkWindow,
	}
	for _, step := range steps {
		if f := step(); f != nil {
			return request{}, f
		}
	}
	return r, nil
}

// knownKeys refuses a body with keys that _search does not have.
func knownKeys(body []byte, into *searchBody) *fault {
	f := known(body, into, "search")
	if f != nil && f.name != "" {
		f.cause.Reason = "Unknown key for a " + tokenOf(body, f.name) + " in [" + f.name + "]."
	}
	return f
}

// tokenOf is what the real parser calls the value behind a key.
func tokenOf(body []byte, name string) string {
	_, rest, _ := bytes.Cut(body, []byte(strconv.Quote(name)))
	rest = bytes.TrimLeft(rest, " \t\r\n:")
	if len(rest) == 0 {
		return "VALUE_NULL"
	}
	switch rest[0] {
	case '{':
		return "START_OBJECT"
	case '[':
		return "START_ARRAY"
	case '"':
		return "VALUE_STRING"
	case 't', 'f':
		return "VALUE_BOOLEAN"
	case 'n':
		return "VALUE_NULL"
	default:
		return "VALUE_NUMBER"
	}
}

func queryOr(raw json.RawMessage) (query, *fault) {
	if len(raw) == 0 || string(raw) == "null" {
		return matchAll{boost: 1}, nil
	}
	return parseQuery(raw)
}

func parseTrackTotal(raw json.RawMessage) (int, *fault) {
	switch string(raw) {
	case "":
		return countLimit, nil
	case "true":
		return maxWindow * maxWindow, nil
	case "false":
		return -1, nil
	}
	n, err := strconv.Atoi(string(raw))
	if err != nil || n < 0 {
		return 0, illegal("[track_total_hits] parameter must be positive or equals to -1, got %s", raw)
	}
	return n, nil
}

func (r *request) checkWindow() *fault {
	switch {
	case r.size < 0:
		return illegal("[size] parameter cannot be negative, found [%d]", r.size)
	case r.from < 0:
		return illegal("[from] parameter cannot be negative but was [%d]", r.from)
	case r.from > 0 && r.after != nil:
		f := illegal("Validation Failed: 1: `from` parameter must be set to 0 when `search_after` is used;")
		f.cause.Type = "action_request_validation_exception"
		return f
	case r.from+r.size > maxWindow:
		return onShard("illegal_argument_exception", "Result window is too large, from + size must be less than or equal to: [%d] but was [%d]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting.", maxWindow, r.from+r.size)
	}
	return nil
}

// page sorts hits and cuts out what was asked for. Totals count what lies before search_after too.
func (r *request) page(index string, hits []hit) hitsBody {
	body := hitsBody{Hits: []hitBody{}}
	switch {
	case r.countTo < 0:
	case len(hits) > r.countTo:
		body.Total = &totalBody{Value: r.countTo, Relation: "gte"}
	default:
		body.Total = &totalBody{Value: len(hits), Relation: "eq"}
	}
	orders := r.orders
	scored := r.scores || len(orders) == 0 || slices.Contains(orders, order{field: scoreField, descending: true})
	if len(orders) == 0 {
		orders = []order{{field: scoreField, descending: true}}
	}
	slices.SortStableFunc(hits, func(a, b hit) int {
		for _, o := range orders {
			if c := o.compare(o.key(a), o.key(b)); c != 0 {
				return c
			}
		}
		return 0
	})
	if len(hits) > 0 && len(r.orders) == 0 {
		body.MaxScore = &hits[0].score
	}
	if r.after != nil {
		hits = hits[r.behind(hits):]
	}
	hits = hits[min(r.from, len(hits)):]
	for _, h := range hits[:min(r.size, len(hits))] {
		one := hitBody{Index: index, ID: h.doc.id, Source: r.source.apply(h.doc)}
		if scored {
			one.Score = &h.score
		}
		for _, o := range r.orders {
			one.Sort = append(one.Sort, o.shown(o.key(h)))
		}
		body.Hits = append(body.Hits, one)
	}
	return body
}

// behind is the index of the first sorted hit past search_after.
func (r *request) behind(hits []hit) int {
	for i, h := range hits {
		for j, o := range r.orders {
			c := o.compare(o.key(h), r.after[j])
			if c > 0 {
				return i
			}
			if c < 0 {
				break
			}
		}
	}
	return len(hits)
}

// sourceFilter picks from a document's source; nil includes are everything.
type sourceFilter struct {
	none     bool
	includes []string
	excludes []string
}

func parseSourceFilter(raw json.RawMessage) (sourceFilter, *fault) {
	var filter sourceFilter
	switch {
	case len(raw) == 0 || string(raw) == "true":
	case string(raw) == "false":
		filter.none = true
	case raw[0] == '"':
		filter.includes = []string{plain(raw)}
	case raw[0] == '[':
		return filter, decode(raw, &filter.includes, "_source")
	default:
		var body struct {
			Includes []string `json:"includes"`
			Excludes []string `json:"excludes"`
		}
		f := known(raw, &body, "_source")
		filter.includes, filter.excludes = body.Includes, body.Excludes
		return filter, f
	}
	return filter, nil
}

// apply answers the source that is left; nil when none was asked for.
func (f sourceFilter) apply(d *document) json.RawMessage {
	if f.none {
		return nil
	}
	raw, err := json.Marshal(d.current())
	if err != nil {
		return nil
	}
	if f.includes == nil && f.excludes == nil {
		return raw
	}
	kept, _ := f.keep(raw, "")
	if kept == nil {
		kept = json.RawMessage("{}")
	}
	return kept
}

// keep walks objects; a field stays when its path or one above is included and none is excluded.
func (f sourceFilter) keep(raw json.RawMessage, path string) (json.RawMessage, bool) {
	if path != "" && covers(f.excludes, path) {
		return nil, false
	}
	if raw[0] != '{' {
		return raw, f.includes == nil || covers(f.includes, path)
	}
	var parts rawObject
	if json.Unmarshal(raw, &parts) != nil {
		return nil, false
	}
	for name, part := range parts {
		kept, ok := f.keep(part, strings.TrimPrefix(path+"."+name, "."))
		if parts[name] = kept; !ok {
			delete(parts, name)
		}
	}
	kept, err := json.Marshal(parts)
	return kept, err == nil && len(parts) > 0
}

// covers tells whether a pattern is path, one above it, or a prefix with a star.
func covers(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if prefix, ok := strings.CutSuffix(p, "*"); ok {
			return strings.HasPrefix(path, prefix)
		}
		return path == p || strings.HasPrefix(path, p+".")
	})
}
