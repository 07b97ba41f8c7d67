package recent

import (
	"cmp"
	"slices"
	"time"
)

const (
	// places is how many requests a shelf holds.
	places = 40
	// every is how often one comes onto a shelf when more would, so that what is there is
	// of a minute and not of a blink. A shelf's worth may come at once.
	every = time.Second
	// ranks is how many of the slowest of a window are kept …
	ranks = 8
	// … for that window and the next.
	windows = 2
	// window is how long one lasts.
	window = 5 * time.Minute
)

// record is a request that is kept: as JSON, so that it takes what it is long and is shown
// as it is.
type record struct {
	number uint64
	text   []byte
}

// shelf holds the last requests of one kind, the oldest first.
type shelf struct {
	budget int // in bytes
	used   int
	list   []record
	free   time.Time // when all that came would have come, had it come one by one
}

// admits tells whether one more may come now, and counts it.
func (s *shelf) admits(now time.Time) bool {
	if s.free.Before(now.Add(-places * every)) {
		s.free = now.Add(-places * every)
	}
	if s.free.Add(every).After(now) {
		return false
	}
	s.free = s.free.Add(every)
	return true
}

// put adds a record, for which the oldest go. One that is larger than the shelf is not kept.
func (s *shelf) put(r record) {
	if len(r.text) > s.budget {
		return
	}
	s.list, s.used = append(s.list, r), s.used+len(r.text)
	gone := 0
	for len(s.list)-gone > places || s.used > s.budget {
		s.used -= len(s.list[gone].text)
		gone++
	}
	s.list = slices.Delete(s.list, 0, gone)
}

// ranking is the slowest of a window and of the one before in which there were any.
type ranking struct {
	budget       int // in bytes, of one window
	end          time.Time
	list, before []ranked      // the slowest first
	cut          time.Duration // the slowest of this window that there was no room for
}

type ranked struct {
	record

	took time.Duration
}

// turn begins a window when the last one is over.
func (r *ranking) turn(now time.Time) {
	if now.Before(r.end) {
		return
	}
	r.before, r.list, r.cut, r.end = r.list, nil, 0, now.Add(window)
}

// floor is how long a request takes that is not among the slowest any more.
func (r *ranking) floor() time.Duration {
	if len(r.list) < ranks {
		return r.cut
	}
	return r.list[ranks-1].took
}

func (r *ranking) admits(took time.Duration) bool { return took > r.floor() }

// put ranks a record.
func (r *ranking) put(took time.Duration, kept record) {
	at, _ := slices.BinarySearchFunc(r.list, took, func(have ranked, took time.Duration) int { return cmp.Compare(took, have.took) })
	r.list = slices.Insert(r.list, at, ranked{kept, took})
	used := 0
	for i, one := range r.list {
		if used += len(one.text); used > r.budget || i == ranks {
			r.cut = one.took
			r.list = slices.Delete(r.list, i, len(r.list))
			return
		}
	}
}
