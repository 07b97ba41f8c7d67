package documents

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// held is a manifest as it was last read.
type held struct {
	sum      [sha256.Size]byte
	manifest *manifest // the last that could be used; nil: none yet
	problems []Problem // with what was read last
}

// Refresh looks at all sources now.
func (s *Store) Refresh(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	limited, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	r := &round{Store: s, held: map[place]*held{}}
	for i, src := range s.sources {
		r.take(limited, i, src)
	}
	if ctx.Err() != nil { // it is closed: what could not be read is nobody's fault
		return
	}
	if r.changed {
		s.replace(r)
	}
	s.publish(r.told(ctx))
}

// round is one look at all sources.
type round struct {
	*Store
	held    map[place]*held // what there is after it
	fresh   []arrival       // what was not there, or not so
	changed bool
}

// arrival is a manifest to be made ready.
type arrival struct {
	at   place
	file file
}

// take reads one source. Where that fails, what was read before stays.
func (r *round) take(ctx context.Context, i int, src source) {
	all, err := src.read(ctx)
	st := &r.last[i]
	switch {
	case err != nil:
		st.Problem = err.Error()
		r.keep(src.name())
		return
	case all.same:
		st.Problem, st.Checked = "", time.Now()
		r.keep(src.name())
		return
	case len(all.files) == 0 && r.keep(src.name()) > 0:
		st.Problem, st.Checked = "is empty; what was published before stays", time.Now()
		return
	}
	*st = state{Source: src.name(), Read: true, Checked: time.Now(), strays: all.issues}
	for _, f := range all.files {
		r.arrive(place{src.name(), f.name}, f)
	}
	for at := range r.Store.held {
		if at.source == src.name() && r.held[at] == nil {
			r.changed = true // taken away
		}
	}
}

// keep leaves all of a source as it is, and tells how much that is.
func (r *round) keep(source string) int {
	n := 0
	for at, h := range r.Store.held {
		if at.source == source {
			r.held[at] = h
			n++
		}
	}
	return n
}

// arrive takes a file in. One that cannot be read, or is what it was, changes nothing.
func (r *round) arrive(at place, f file) {
	was := r.Store.held[at]
	switch {
	case f.fault != "":
		broken := &held{problems: []Problem{{Source: at.source, File: at.file, Cause: f.fault}}}
		if was != nil {
			broken.manifest = was.manifest
		}
		r.held[at] = broken
	case was != nil && was.sum == f.sum && (f.same || f.data != nil):
		r.held[at] = was
	default:
		r.fresh = append(r.fresh, arrival{at, f})
		r.changed = true
	}
}

// replace makes the set that follows from a round, and has requests find it.
func (s *Store) replace(r *round) {
	before, next := s.set.Load(), newSet()
	for _, at := range places(r.held) {
		if m := r.held[at].manifest; m != nil {
			next.add(m.again(), before)
		}
	}
	for _, a := range r.fresh {
		was, now := s.held[a.at], &held{sum: a.file.sum}
		m, issues := s.rules.manifest(a, before, next)
		now.manifest = m
		if len(issues) > 0 {
			now.problems, now.manifest = told(a.at, issues), nil
			if was != nil {
				now.manifest = was.manifest
			}
		}
		if now.manifest != nil {
			now.manifest = now.manifest.again()
			next.add(now.manifest, before)
		}
		r.held[a.at] = now
	}
	slices.SortFunc(next.list, func(a, b *manifest) int {
		return strings.Compare(a.source+"/"+a.Name+"/"+a.Version, b.source+"/"+b.Name+"/"+b.Version)
	})
	s.held = r.held
	s.set.Store(next)
	s.generation.Add(1)
	s.log.LogAttrs(context.Background(), slog.LevelInfo, "trusted documents loaded",
		slog.Int("manifests", len(next.list)), slog.Int("documents", len(next.byHash)))
}

// again is m for another set: its counts are found anew.
func (m *manifest) again() *manifest {
	copied := *m
	return &copied
}

func places(all map[place]*held) []place {
	list := make([]place, 0, len(all))
	for at := range all {
		list = append(list, at)
	}
	slices.SortFunc(list, func(a, b place) int { return strings.Compare(a.source+"/"+a.file, b.source+"/"+b.file) })
	return list
}

// manifest makes a manifest ready, or says all that is wrong with it. Documents that
// are ready already are taken as they are.
func (r Rules) manifest(a arrival, before, next *set) (*manifest, []issue) {
	entries, issues := parse(a.file.data)
	m := &manifest{Client: a.file.client, source: a.at.source, loaded: time.Now(), entries: entries}
	made := map[[sha256.Size]byte]*Document{}
	for _, e := range entries {
		d := first(made[e.hash], next.byHash[e.hash], before.byHash[e.hash])
		if d == nil {
			var err error
			if d, err = r.document(e.text, e.hash); err != nil {
				issues = append(issues, issue{e.id, err.Error()})
				continue
			}
		}
		made[e.hash] = d
		m.documents = append(m.documents, d)
	}
	if len(issues) > 0 {
		return nil, issues
	}
	return m, next.takes(m)
}

func first(list ...*Document) *Document {
	for _, d := range list {
		if d != nil {
			return d
		}
	}
	return nil
}

// told are issues of a manifest as problems, those beyond a bound as one.
func told(at place, issues []issue) []Problem {
	var list []Problem
	for i, is := range issues {
		if i == maxProblems {
			more := fmt.Sprintf("%d more", len(issues)-i)
			return append(list, Problem{Source: at.source, File: at.file, Cause: more})
		}
		list = append(list, Problem{at.source, at.file, is.id, is.cause})
	}
	return list
}

// told is everything that is wrong now; what was not before is logged.
func (r *round) told(ctx context.Context) []Problem {
	if !r.changed {
		r.Store.held = r.held
	}
	var list []Problem
	for _, st := range r.last {
		if st.Problem != "" {
			list = append(list, Problem{Source: st.Source, Cause: st.Problem})
		}
		list = append(list, st.strays...)
	}
	for _, at := range places(r.Store.held) {
		list = append(list, r.Store.held[at].problems...)
	}
	known := *r.problems.Load()
	for _, p := range list {
		if !slices.Contains(known, p) {
			r.log.LogAttrs(ctx, slog.LevelWarn, "trusted documents cannot be used",
				slog.String("source", p.Source), slog.String("file", p.File), slog.String("document", p.ID), slog.String("cause", p.Cause))
		}
	}
	return list
}

// publish has problems and states be told.
func (s *Store) publish(problems []Problem) {
	states := slices.Clone(s.last)
	s.problems.Store(&problems)
	s.states.Store(&states)
}
