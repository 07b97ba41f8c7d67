package elasticsearch

import (
	"encoding/json"
	"slices"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/schema/commerce"
)

// An answer read in one pass. What it does not read is read by encoding/json.

// members reads an object, or null, whose members read reads: it tells false for a name
// that it does not know. Names that ignored holds are passed over.
func members(r *quick.Reader, ignored map[string]bool, read func(name string, field *int) bool) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		if ignored[string(name)] {
			r.Skip()
			continue
		}
		field := 0
		if !read(string(name), &field) {
			return r.Fail()
		}
		r.Once(&seen, field)
	}
	return r.OK()
}

// What an answer says that is not read.
var (
	ofAnswer = map[string]bool{"took": true}
	ofShards = map[string]bool{"total": true, "successful": true, "skipped": true}
	ofHits   = map[string]bool{"max_score": true}
	ofHit    = map[string]bool{"_index": true, "_type": true, "_id": true, "_score": true}
	ofFacet  = map[string]bool{"doc_count": true}
	ofValues = map[string]bool{"doc_count_error_upper_bound": true, "sum_other_doc_count": true}
	ofBucket = map[string]bool{"from": true, "to": true, "from_as_string": true, "to_as_string": true}
)

// ReadQuick implements [quick.Value].
func (w *wireAnswer) ReadQuick(r *quick.Reader) bool {
	return members(r, ofAnswer, func(name string, field *int) bool {
		switch name {
		case "timed_out":
			if r.Null() { // it does not say
				return false
			}
			*field, w.TimedOut = 1, new(r.Bool())
		case "_shards":
			*field, w.Shards = 2, &wireShards{}
			w.Shards.read(r)
		case "hits":
			*field, w.Hits = 3, &wireHits{}
			w.Hits.read(r)
		case "aggregations":
			*field, w.Aggregations = 4, readFacets(r)
		default:
			return false
		}
		return true
	})
}

func (w *wireShards) read(r *quick.Reader) {
	members(r, ofShards, func(name string, _ *int) bool {
		w.Failed = json.Number(r.Number())
		return name == "failed"
	})
}

func (w *wireHits) read(r *quick.Reader) {
	members(r, ofHits, func(name string, field *int) bool {
		switch name {
		case "total":
			*field, w.Total = 1, &wireTotal{}
			w.Total.read(r)
		case "hits":
			*field, w.Hits = 2, []wireHit{}
			for r.Array(); r.More(); {
				left := r.Left()
				w.Hits = append(w.Hits, readHit(r))
				if len(w.Hits) == 1 { // room for as many as there are if all are as long
					w.Hits = slices.Grow(w.Hits, min(r.Left()/max(left-r.Left(), 1), commerce.MaxBatch))
				}
			}
		default:
			return false
		}
		return true
	})
}

func (w *wireTotal) read(r *quick.Reader) {
	members(r, nil, func(name string, field *int) bool {
		switch name {
		case "value":
			*field, w.Value = 1, json.Number(r.Number())
		case "relation":
			*field, w.Relation = 2, r.Text()
		default:
			return false
		}
		return true
	})
}

// sortValues is how many values a hit is sorted by.
const sortValues = 2

func readHit(r *quick.Reader) (w wireHit) {
	members(r, ofHit, func(name string, field *int) bool {
		switch name {
		case "_source":
			*field, w.Source = 1, r.Raw()
		case "sort":
			*field, w.Sort = 2, make([]json.RawMessage, 0, sortValues)
			for r.Array(); r.More(); {
				w.Sort = append(w.Sort, r.Raw())
			}
		default:
			return false
		}
		return true
	})
	return w
}

func readFacets(r *quick.Reader) map[string]wireFacet {
	facets := map[string]wireFacet{}
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		code := string(name)
		var facet wireFacet
		members(r, ofFacet, func(name string, _ *int) bool {
			facet.Values = &wireValues{}
			facet.Values.read(r)
			return name == valuesName
		})
		facets[code] = facet
	}
	return facets
}

func (w *wireValues) read(r *quick.Reader) {
	members(r, ofValues, func(name string, _ *int) bool {
		w.Buckets = []wireBucket{}
		for r.Array(); r.More(); {
			w.Buckets = append(w.Buckets, readBucket(r))
		}
		return name == "buckets"
	})
}

func readBucket(r *quick.Reader) (w wireBucket) {
	members(r, ofBucket, func(name string, field *int) bool {
		switch name {
		case "key":
			*field, w.Key = 1, r.Raw()
		case "key_as_string":
			*field, w.KeyAsString = 2, r.Text()
		case "doc_count":
			*field, w.Count = 3, json.Number(r.Number())
		default:
			return false
		}
		return true
	})
	return w
}

// onlyText is an object that has one field, a text.
type onlyText struct{ field, text string }

// ReadQuick implements [quick.Value].
func (w *onlyText) ReadQuick(r *quick.Reader) bool {
	r.Object()
	if string(r.Next()) != w.field || r.Null() {
		return r.Fail()
	}
	w.text = r.Text()
	return r.Next() == nil && r.OK()
}
