package elasticsearch

import (
	"encoding/json"
	"sync"

	"github.com/portico-bff/portico/schema/commerce"
)

// room is where an answer is read into: its hits, what they are sorted by and the buckets of
// its facets, each one after the other. What a result is made of them is a copy, so the
// next answer has the same room.
type room struct {
	hits    []wireHit
	sorts   []json.RawMessage
	buckets []wireBucket
	met     map[commerce.SKU]struct{} // by who reads the hits
}

var rooms sync.Pool

func enter() *room {
	if r, ok := rooms.Get().(*room); ok {
		return r
	}
	return newRoom()
}

// newRoom has lists that are empty, as what is read into them may be, and not missing.
func newRoom() *room {
	return &room{hits: []wireHit{}, sorts: []json.RawMessage{}, buckets: []wireBucket{}, met: map[commerce.SKU]struct{}{}}
}

// leave has the room used by others, unless it grew beyond what is usual. Nothing of what was
// read is left in it.
func (r *room) leave() {
	const mostHits, mostBuckets = 2 * commerce.MaxBatch, 10 * maxValues
	if cap(r.hits) > mostHits || cap(r.sorts) > sortValues*mostHits || cap(r.buckets) > mostBuckets || len(r.met) > mostHits {
		return
	}
	clear(r.hits)
	clear(r.sorts)
	clear(r.buckets)
	clear(r.met)
	r.hits, r.sorts, r.buckets = r.hits[:0], r.sorts[:0], r.buckets[:0]
	rooms.Put(r)
}
