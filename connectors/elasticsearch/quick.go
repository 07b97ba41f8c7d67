package elasticsearch

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/schema/commerce"
)

// An answer read in one pass. What it does not read is read by encoding/json: a name that
// it does not know, and what is null where that is not usual. Names that it passes over
// say nothing that is read.

// ReadQuick implements [quick.Value].
func (w *wireAnswer) ReadQuick(r *quick.Reader) bool {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field := 0
		switch string(name) {
		case "took":
			r.Skip()
			continue
		case "timed_out":
			if r.Null() { // it does not say
				return r.Fail()
			}
			w.TimedOut = new(r.Bool())
		case "_shards":
			field, w.Shards = 1, &wireShards{}
			w.Shards.read(r)
		case "hits":
			field, w.Hits = 2, &wireHits{}
			w.Hits.read(r, w)
		case "aggregations":
			field, w.Aggregations = 3, readFacets(r, w.room)
		default:
			return r.Fail()
		}
		r.Once(&seen, field)
	}
	return r.OK()
}

func (w *wireShards) read(r *quick.Reader) {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		switch string(name) {
		case "failed":
			w.Failed = json.Number(r.Number())
			r.Once(&seen, 0)
		case "total", "successful", "skipped":
			r.Skip()
		default:
			r.Fail()
		}
	}
}

func (w *wireHits) read(r *quick.Reader, of *wireAnswer) {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field := 0
		switch string(name) {
		case "max_score":
			r.Skip()
			continue
		case "total":
			w.Total = &wireTotal{}
			w.Total.read(r)
		case "hits":
			field = 1
			w.readHits(r, of)
		default:
			r.Fail()
		}
		r.Once(&seen, field)
	}
}

// readHits makes room for as many hits as there are if all are as long as the first.
func (w *wireHits) readHits(r *quick.Reader, of *wireAnswer) {
	in := of.room
	for r.Array(); r.More(); {
		left := r.Left()
		in.hits = append(in.hits, wireHit{})
		in.hits[len(in.hits)-1].read(r, of)
		if len(in.hits) == 1 {
			more := min(r.Left()/max(left-r.Left(), 1), commerce.MaxBatch)
			in.hits, in.sorts = slices.Grow(in.hits, more), slices.Grow(in.sorts, more*sortValues)
		}
	}
	w.Hits = in.hits
}

func (w *wireTotal) read(r *quick.Reader) {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field := 0
		switch string(name) {
		case "value":
			w.Value = json.Number(r.Number())
		case "relation":
			field, w.Relation = 1, r.Text()
		default:
			r.Fail()
		}
		r.Once(&seen, field)
	}
}

// sortValues is how many values a hit is sorted by.
const sortValues = 2

func (w *wireHit) read(r *quick.Reader, of *wireAnswer) {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field := 0
		switch string(name) {
		case "_index", "_type", "_id", "_score":
			r.Skip()
			continue
		case "_source":
			w.readSource(r, of.skuField)
		case "sort":
			field = 1
			in := of.room
			begin := len(in.sorts)
			for r.Array(); r.More(); {
				in.sorts = append(in.sorts, r.Raw())
			}
			w.Sort = slices.Clip(in.sorts[begin:])
		default:
			r.Fail()
		}
		r.Once(&seen, field)
	}
}

// readSource reads the one field that was asked for. One that lies in objects is read later.
func (w *wireHit) readSource(r *quick.Reader, skuField string) {
	if strings.Contains(skuField, ".") {
		w.Source = r.Raw()
		return
	}
	r.Object()
	if string(r.Next()) != skuField {
		r.Fail()
	}
	if w.sku = r.Text(); w.sku == "" || r.Next() != nil {
		r.Fail()
	}
}

func readFacets(r *quick.Reader, in *room) map[string]wireFacet {
	facets := map[string]wireFacet{}
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		code := string(name)
		var facet wireFacet
		facet.read(r, in)
		facets[code] = facet
	}
	return facets
}

func (w *wireFacet) read(r *quick.Reader, in *room) {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		switch string(name) {
		case "doc_count":
			r.Skip()
		case valuesName:
			w.Values = &wireValues{}
			w.Values.read(r, in)
			r.Once(&seen, 0)
		default:
			r.Fail()
		}
	}
}

func (w *wireValues) read(r *quick.Reader, in *room) {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		switch string(name) {
		case "doc_count_error_upper_bound", "sum_other_doc_count":
			r.Skip()
		case "buckets":
			begin := len(in.buckets)
			for r.Array(); r.More(); {
				in.buckets = append(in.buckets, wireBucket{})
				in.buckets[len(in.buckets)-1].read(r)
			}
			w.Buckets = slices.Clip(in.buckets[begin:])
			r.Once(&seen, 0)
		default:
			r.Fail()
		}
	}
}

func (w *wireBucket) read(r *quick.Reader) {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		field := 0
		switch string(name) {
		case "from", "to", "from_as_string", "to_as_string":
			r.Skip()
			continue
		case "key":
			w.Key = r.Raw()
		case "key_as_string":
			field, w.KeyAsString = 1, r.Text()
		case "doc_count":
			field, w.Count = 2, json.Number(r.Number())
		default:
			r.Fail()
		}
		r.Once(&seen, field)
	}
}
