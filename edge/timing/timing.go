// Package timing tells where the time of a request went: how long it waited for which system,
// and what was left for ourselves, as W3C Server Timing has it. Waits are taken from the
// provenance of what was answered, so that of a call that several share each request counts
// what it waited for itself.
package timing

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/schema/commerce"
)

// Header tells a browser's developer tools, and whoever may read the header, where an
// answer's time went: names of systems and figures, nothing of what was asked.
const Header = "Server-Timing"

// Hit and Proven are the header's value of answers that were kept, and of those that were
// proven to be what the client has: nothing was waited for.
const (
	Hit    = "cache;desc=hit"
	Proven = "cache;desc=proven"
)

// stretch is a time in which a request waited for a system.
type stretch struct {
	system   string
	from, to time.Time
}

// Elapsed is what making an answer took: of which system's calls, and when. It is
// shared by all who waited for the answer, and read-only.
type Elapsed struct {
	Calls   []SystemCalls       // in the order of the systems' names
	Sources [][]commerce.Source // of all that the answer was made of
	Windows []Window            // what was waited for, each trail once

	stretches []stretch
}

// noTime is what making an answer took that waited for nothing.
var noTime Elapsed

// SystemCalls is how many calls of a system were waited for.
type SystemCalls struct {
	System string
	Calls  int
}

// Window is the time in which a request waited for what is on a trail.
type Window struct {
	Trail    *commerce.Trail
	From, To time.Time
}

// windows are the waits of sources, each trail once, as long as any of them.
func windows(lists [][]commerce.Source) []Window {
	var list []Window
	for _, sources := range lists {
		for i := range sources {
			if w := sources[i].Wait; w != nil && w.Trail != nil {
				list = widened(list, Window{w.Trail, w.Asked, w.Asked.Add(w.Took)})
			}
		}
	}
	return list
}

func widened(list []Window, w Window) []Window {
	for i := range list {
		if list[i].Trail != w.Trail {
			continue
		}
		if w.From.Before(list[i].From) {
			list[i].From = w.From
		}
		if w.To.After(list[i].To) {
			list[i].To = w.To
		}
		return list
	}
	return append(list, w)
}

// spend sums up the calls that were waited for. A call that another began counts from
// when it was waited for, one that goes on until it was no more.
func spend(lists [][]commerce.Source, list []Window) *Elapsed {
	if len(list) == 0 && len(lists) == 0 {
		return &noTime
	}
	s := &Elapsed{Sources: lists, Windows: list}
	var seen []*commerce.Call // a load's calls may be on several trails
	for _, w := range list {
		w.Trail.Visit(func(c *commerce.Call) {
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
func clipped(c *commerce.Call, w Window) (from, to time.Time) {
	from, to = c.Began, w.To
	if ended := c.Began.Add(c.Took); !c.Open && ended.Before(to) {
		to = ended
	}
	if from.Before(w.From) {
		from = w.From
	}
	return from, to
}

func (s *Elapsed) count(system string) {
	for i := range s.Calls {
		if s.Calls[i].System == system {
			s.Calls[i].Calls++
			return
		}
	}
	s.Calls = append(s.Calls, SystemCalls{system, 1})
}

// sorted puts the stretches in the order they began and the systems in that of their names.
func (s *Elapsed) sorted() *Elapsed {
	slices.SortFunc(s.stretches, func(a, b stretch) int { return a.from.Compare(b.from) })
	slices.SortFunc(s.Calls, func(a, b SystemCalls) int { return strings.Compare(a.System, b.System) })
	return s
}

// Union is how much time the stretches of a system, or of all when it is empty, cover
// within [from, to], overlaps counted once. They are sorted.
func (s *Elapsed) Union(from, to time.Time, system string) time.Duration {
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

// Text is the header's value for a request that lasted from began to now: of each
// system the time that the request waited for it, our own time (the rest), all of it,
// and how the answer cache was used.
func (s *Elapsed) Text(began, now time.Time, result cache.Result) string {
	if s == nil {
		s = &noTime
	}
	var room [192]byte
	b := room[:0]
	for _, of := range s.Calls {
		took := s.Union(began, now, of.System)
		b = appendMetric(b, metricName(of.System), took)
		b = append(b, `;desc="`...)
		b = strconv.AppendInt(b, int64(of.Calls), 10)
		b = append(b, plural(of.Calls)...)
	}
	total := max(0, now.Sub(began))
	b = appendMetric(b, "own", total-s.Union(began, now, ""))
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
	return strconv.AppendFloat(b, Milliseconds(took), 'f', -1, 64)
}

// Milliseconds is d with two decimals: 10 µs is finer than anything that is decided by it.
func Milliseconds(d time.Duration) float64 {
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

// Of sums up what was waited for until now as lists, and the trail that ctx has for calls
// past the cache, tell it. It is never nil.
func Of(ctx context.Context, lists [][]commerce.Source) *Elapsed {
	list := windows(lists)
	if own := commerce.TrailOf(ctx); own != nil {
		list = append(list, Window{Trail: own, To: time.Now()})
	}
	return spend(lists, list)
}
