package graphhttp

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/schema/commerce"
)

// timingHeader tells a browser's developer tools, and whoever may read the header,
// where an answer's time went, as W3C Server Timing has it: names of systems and
// figures, nothing of what was asked.
const timingHeader = "Server-Timing"

// hitTiming is of answers that were kept: nothing was waited for.
var hitTiming = []string{"cache;desc=hit"}

// stretch is a time in which a request waited for a system.
type stretch struct {
	system   string
	from, to time.Time
}

// elapsed is what making an answer took: of which system's calls, and when. It is
// shared by all who waited for the answer, and read-only.
type elapsed struct {
	stretches []stretch
	calls     []systemCalls
}

// noTime is what making an answer took that waited for nothing.
var noTime elapsed

// systemCalls is how many calls of a system were waited for.
type systemCalls struct {
	system string
	calls  int
}

// window is the time in which a request waited for what is on a trail.
type window struct {
	trail    *commerce.Trail
	from, to time.Time
}

// windows are the waits of sources, each trail once, as long as any of them.
func windows(lists [][]commerce.Source) []window {
	var list []window
	for _, sources := range lists {
		for i := range sources {
			if w := sources[i].Wait; w != nil && w.Trail != nil {
				list = widened(list, window{w.Trail, w.Asked, w.Asked.Add(w.Took)})
			}
		}
	}
	return list
}

func widened(list []window, w window) []window {
	for i := range list {
		if list[i].trail != w.trail {
			continue
		}
		if w.from.Before(list[i].from) {
			list[i].from = w.from
		}
		if w.to.After(list[i].to) {
			list[i].to = w.to
		}
		return list
	}
	return append(list, w)
}

// spend sums up the calls that were waited for. A call that another began counts from
// when it was waited for, one that goes on until it was no more.
func spend(list []window) *elapsed {
	if len(list) == 0 {
		return &noTime
	}
	s := &elapsed{}
	var seen []*commerce.Call // a load's calls may be on several trails
	for _, w := range list {
		w.trail.Visit(func(c *commerce.Call) {
			from, to := clipped(c, w)
			if to.Before(from) {
				return
			}
			s.stretches = append(s.stretches, stretch{c.System, from, to})
			if !slices.Contains(seen, c) {
				seen = append(seen, c)
				s.count(c.System)
			}
		})
	}
	return s.sorted()
}

// clipped is the part of a call that lies in w.
func clipped(c *commerce.Call, w window) (from, to time.Time) {
	from, to = c.Began, w.to
	if ended := c.Began.Add(c.Took); !c.Open && ended.Before(to) {
		to = ended
	}
	if from.Before(w.from) {
		from = w.from
	}
	return from, to
}

func (s *elapsed) count(system string) {
	for i := range s.calls {
		if s.calls[i].system == system {
			s.calls[i].calls++
			return
		}
	}
	s.calls = append(s.calls, systemCalls{system, 1})
}

// sorted puts the stretches in the order they began and the systems in that of their names.
func (s *elapsed) sorted() *elapsed {
	slices.SortFunc(s.stretches, func(a, b stretch) int { return a.from.Compare(b.from) })
	slices.SortFunc(s.calls, func(a, b systemCalls) int { return strings.Compare(a.system, b.system) })
	return s
}

// union is how much time the stretches of a system, or of all when it is empty, cover
// within [from, to], overlaps counted once. They are sorted.
func (s *elapsed) union(from, to time.Time, system string) time.Duration {
	var total time.Duration
	covered := from
	for _, part := range s.stretches {
		if system != "" && part.system != system {
			continue
		}
		if part.from.Before(covered) {
			part.from = covered
		}
		if part.to.After(to) {
			part.to = to
		}
		if part.from.Before(part.to) {
			total += part.to.Sub(part.from)
			covered = part.to
		}
	}
	return total
}

// timing is the header's value for a request that lasted from began to now: of each
// system the time that the request waited for it, our own time (the rest), all of it,
// and how the answer cache was used.
func (s *elapsed) timing(began, now time.Time, result cache.Result) string {
	if s == nil {
		s = &noTime
	}
	var room [192]byte
	b := room[:0]
	for _, of := range s.calls {
		took := s.union(began, now, of.system)
		b = appendMetric(b, metricName(of.system), took)
		b = append(b, `;desc="`...)
		b = strconv.AppendInt(b, int64(of.calls), 10)
		b = append(b, plural(of.calls)...)
	}
	total := max(0, now.Sub(began))
	b = appendMetric(b, "own", total-s.union(began, now, ""))
	b = appendMetric(b, "total", total)
	if result != "" {
		b = append(b, ", cache;desc="...)
		b = append(b, result...)
	}
	return string(b)
}

func plural(calls int) string {
	if calls == 1 {
		return ` call"`
	}
	return ` calls"`
}

// appendMetric writes a metric with its duration in milliseconds.
func appendMetric(b []byte, name string, took time.Duration) []byte {
	if len(b) > 0 {
		b = append(b, ", "...)
	}
	b = append(b, name...)
	b = append(b, ";dur="...)
	return strconv.AppendFloat(b, milliseconds(took), 'f', -1, 64)
}

// milliseconds is d with two decimals: 10 µs is finer than anything that is decided by it.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)/(10*time.Microsecond)) / 100
}

// metricName is a system's name as a metric may be called: a token that is none of ours.
func metricName(system string) string {
	switch system {
	case "own", "total", "cache", "":
		return "system-" + system
	}
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
			return r
		default:
			return '-'
		}
	}, system)
}

// timed tells the client where the request's time went. A hit is told by GET, whose answer
// may be one that a cache on the way has kept since: by POST an answer that names no time took none.
func (w *writer) timed(s *elapsed, result cache.Result) {
	if result == cache.Hit {
		if w.get {
			w.Header()[timingHeader] = hitTiming
		}
		return
	}
	w.Header()[timingHeader] = []string{s.timing(w.began, time.Now(), result)}
}

// told is o with what making it took, and with the trace where one is shown. ctx is the
// execution's, each tells what went to which path.
func (o outcome) told(ctx context.Context, each uses) outcome {
	list, now := windows(o.sources), time.Now()
	if own := commerce.TrailOf(ctx); own != nil {
		list = append(list, window{trail: own, to: now})
	}
	o.spent = spend(list)
	if began, ok := tracedSince(ctx); ok {
		o.trace = waterfall(began, now, slices.Concat(o.sources...), list, each)
	}
	return o
}

// cameIn is when the request came in.
func (t *Transport) cameIn(ctx context.Context) time.Time {
	if t.Began == nil {
		return time.Now()
	}
	return t.Began(ctx)
}

// kept is what is kept for q, which is nil when nothing kept is to be given.
func (t *Transport) kept(q *cache.Question) *cache.Answer {
	if q == nil {
		return nil
	}
	return t.Answers.Kept(q)
}
