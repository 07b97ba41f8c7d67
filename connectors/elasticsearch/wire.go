package elasticsearch

import "encoding/json"

// What is sent. Exactly one part of a wireQuery or a wireAggregation is set, but for Aggs.
type (
	wireSearch struct {
		Size           int                        `json:"size"`
		TrackTotalHits bool                       `json:"track_total_hits"`
		Source         []string                   `json:"_source"`
		Query          wireQuery                  `json:"query"`
		PostFilter     *wireQuery                 `json:"post_filter,omitempty"`
		Aggs           map[string]wireAggregation `json:"aggs,omitempty"`
		Sort           []map[string]wireOrder     `json:"sort"`
		SearchAfter    []json.RawMessage          `json:"search_after,omitempty"`
	}
	wireQuery struct {
		MatchAll   *struct{}            `json:"match_all,omitempty"`
		MultiMatch *wireMultiMatch      `json:"multi_match,omitempty"`
		Bool       *wireBool            `json:"bool,omitempty"`
		Term       map[string]wireTerm  `json:"term,omitempty"`
		Terms      map[string][]string  `json:"terms,omitempty"`
		Range      map[string]wireRange `json:"range,omitempty"`
	}
	wireMultiMatch struct {
		Query        string   `json:"query"`
		Fields       []string `json:"fields"`
		Type         string   `json:"type"`
		Operator     string   `json:"operator"`
		Fuzziness    string   `json:"fuzziness,omitempty"`
		PrefixLength int      `json:"prefix_length,omitempty"`
		Boost        float64  `json:"boost,omitempty"`
	}
	wireBool struct {
		Must               []wireQuery `json:"must,omitempty"`
		Should             []wireQuery `json:"should,omitempty"`
		Filter             []wireQuery `json:"filter,omitempty"`
		MinimumShouldMatch int         `json:"minimum_should_match,omitempty"`
	}
	wireTerm struct {
		Value any     `json:"value"` // a string or a bool
		Boost float64 `json:"boost,omitempty"`
	}
	wireRange struct {
		GTE json.Number `json:"gte,omitempty"`
		LTE json.Number `json:"lte,omitempty"`
		LT  json.Number `json:"lt,omitempty"`
	}
	wireOrder struct {
		Order   string `json:"order"`
		Missing string `json:"missing,omitempty"`
	}
	wireAggregation struct {
		Filter *wireQuery                 `json:"filter,omitempty"`
		Terms  *wireTermsAggregation      `json:"terms,omitempty"`
		Range  *wireRangeAggregation      `json:"range,omitempty"`
		Aggs   map[string]wireAggregation `json:"aggs,omitempty"`
	}
	wireTermsAggregation struct {
		Field string `json:"field"`
		Size  int    `json:"size"`
	}
	wireRangeAggregation struct {
		Field  string     `json:"field"`
		Ranges []wireStep `json:"ranges"`
	}
	wireStep struct {
		Key  string      `json:"key"`
		From json.Number `json:"from,omitempty"`
		To   json.Number `json:"to,omitempty"`
	}
)

// What comes back. Pointers tell what is absent from what is zero.
type (
	wireAnswer struct {
		skuField string // of the index, for what is read in one pass

		TimedOut     *bool                `json:"timed_out"`
		Shards       *wireShards          `json:"_shards"`
		Hits         *wireHits            `json:"hits"`
		Aggregations map[string]wireFacet `json:"aggregations"`
	}
	wireShards struct {
		Failed json.Number `json:"failed"`
	}
	wireHits struct {
		Total *wireTotal `json:"total"`
		Hits  []wireHit  `json:"hits"`
	}
	wireTotal struct {
		Value    json.Number `json:"value"`
		Relation string      `json:"relation"`
	}
	wireHit struct {
		Source json.RawMessage   `json:"_source"`
		Sort   []json.RawMessage `json:"sort"`
		sku    string            // where it was read, and Source was not
	}
	wireFacet struct {
		Values *wireValues `json:"values"`
	}
	wireValues struct {
		Buckets []wireBucket `json:"buckets"`
	}
	wireBucket struct {
		Key         json.RawMessage `json:"key"` // a string, or a number in fields of numbers
		KeyAsString string          `json:"key_as_string"`
		Count       json.Number     `json:"doc_count"`
	}
)
