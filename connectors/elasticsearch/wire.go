package elasticsearch

import "encoding/json"

// What comes back. Pointers tell what is absent from what is zero.
type (
	wireAnswer struct {
		skuField string // of the index, for what is read in one pass
		room     *room  // that is then read into

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
