package waterfall

import (
	"cmp"
	"slices"
	"time"

	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/schema/commerce"
)

// Read is what the cache did about keys of one operation.
type Read struct {
	System       string             `json:"system"`
	Operation    commerce.Operation `json:"operation"`
	Keys         int                `json:"keys"`
	Cache        string             `json:"cache"` // memory, redis, loaded, joined or direct
	State        commerce.State     `json:"state"`
	AgeMS        int64              `json:"ageMs"` // of the oldest
	Reason       commerce.Reason    `json:"reason,omitempty"`
	RetryAfterMS int64              `json:"retryAfterMs,omitempty"`
	StartMS      *float64           `json:"startMs,omitempty"` // absent when nothing was waited for
	MS           *float64           `json:"ms,omitempty"`
	Paths        []string           `json:"paths,omitempty"`

	trail *commerce.Trail
}

// alike is what sources have in common that are one read.
type alike struct {
	op     commerce.Operation
	way    commerce.Way
	state  commerce.State
	reason commerce.Reason
	trail  *commerce.Trail
}

// used is what paths are found by.
type used struct {
	op  commerce.Operation
	key string
}

// readsOf groups sources by what the cache did.
func readsOf(began time.Time, lists [][]commerce.Source, each Uses) []*Read {
	reads := []*Read{}
	groups, byKey := map[alike]*Read{}, map[used][]*Read{}
	for _, sources := range lists {
		for i := range sources {
			s := &sources[i]
			of := alike{op: s.Operation, way: s.Way, state: s.State, reason: s.Reason}
			if s.Wait != nil {
				of.trail = s.Wait.Trail
			}
			r := groups[of]
			if r == nil {
				r = &Read{System: s.System, Operation: s.Operation, Cache: s.Way.String(), State: s.State, Reason: s.Reason, trail: of.trail}
				groups[of] = r
				reads = append(reads, r)
			}
			r.add(s, began)
			if each != nil {
				byKey[used{s.Operation, s.Key}] = append(byKey[used{s.Operation, s.Key}], r)
				byKey[used{s.Operation, ""}] = append(byKey[used{s.Operation, ""}], r) // for what is used without a key
			}
		}
	}
	if each != nil {
		each(func(op commerce.Operation, key, path string) {
			for _, r := range byKey[used{op, key}] {
				r.Paths = united(r.Paths, path)
			}
		})
	}
	slices.SortStableFunc(reads, func(a, b *Read) int {
		return cmp.Or(cmp.Compare(a.start(), b.start()), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Cache, b.Cache))
	})
	return reads
}

func (r *Read) add(s *commerce.Source, began time.Time) {
	r.Keys++
	r.AgeMS = max(r.AgeMS, s.Age.Milliseconds())
	r.RetryAfterMS = max(r.RetryAfterMS, wholeMS(s.RetryAfter))
	if s.Wait == nil {
		return
	}
	start, ms := timing.Milliseconds(s.Wait.Asked.Sub(began)), timing.Milliseconds(s.Wait.Took)
	if r.StartMS == nil {
		r.StartMS, r.MS = &start, &ms
		return
	}
	*r.StartMS, *r.MS = min(*r.StartMS, start), max(*r.MS, ms)
}

// start is where the read stands among others; what lay in memory comes first.
func (r *Read) start() float64 {
	if r.StartMS == nil {
		return -1
	}
	return *r.StartMS
}
