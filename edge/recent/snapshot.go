package recent

import (
	"cmp"
	"encoding/json"
	"slices"
)

// Snapshot is what is kept now.
type Snapshot struct {
	SlowMS   float64           `json:"slowMs"`   // a request is slow from here on
	Seen     Seen              `json:"seen"`     // since the process began; of some seconds with many not all are kept
	Requests []json.RawMessage `json:"requests"` // the last to be answered first
}

// Seen counts requests by what they would be kept for, each once, for the worst.
type Seen struct {
	Failed   int64 `json:"failed"`
	Degraded int64 `json:"degraded"`
	Slow     int64 `json:"slow"`
}

// Snapshot answers what is kept. What it returns is read-only. A nil r has kept nothing.
func (r *Requests) Snapshot() Snapshot {
	s := Snapshot{Requests: []json.RawMessage{}}
	if r == nil {
		return s
	}
	s.SlowMS = float64(r.slow.Microseconds()) / 1000
	s.Seen = Seen{r.seen[failed].Load(), r.seen[degraded].Load(), r.seen[slow].Load()}
	for _, kept := range r.kept() {
		s.Requests = append(s.Requests, kept.text)
	}
	return s
}

// kept are all records, the last first.
func (r *Requests) kept() []record {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []record
	for i := range r.shelves {
		list = append(list, r.shelves[i].list...)
	}
	for _, of := range [][]ranked{r.slowest.list, r.slowest.before} {
		for _, one := range of {
			list = append(list, one.record)
		}
	}
	slices.SortFunc(list, func(a, b record) int { return cmp.Compare(b.number, a.number) })
	return list
}
