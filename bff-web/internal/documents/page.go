package documents

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// page is what /documents answers: which documents of which client and version are
// still asked for in this process, so that a team sees what it may withdraw.
type page struct {
	Mode       string     `json:"mode"`  // trusted: documents only; open: free text as well
	Since      time.Time  `json:"since"` // counts begin with the process
	Generation uint64     `json:"generation"`
	Documents  int        `json:"documents"` // different ones
	Sources    []state    `json:"sources"`
	Problems   []Problem  `json:"problems"`
	Manifests  []version  `json:"manifests"`
	Strangers  []asked    `json:"strangers"` // asked for by clients that no manifest names
	Refused    [3]tallied `json:"refused"`
}

// version is one manifest.
type version struct {
	Client
	Source    string     `json:"source"`
	Loaded    time.Time  `json:"loaded"`
	Documents int        `json:"documents"`
	Uses      int64      `json:"uses"`
	LastUsed  *time.Time `json:"lastUsed"` // null: not since the process began
	Others    int64      `json:"others"`   // uses of documents that are not in this manifest
	Used      []asked    `json:"used"`
	Unused    []string   `json:"unused"` // names, of those that nobody has asked for
}

// asked is a document that was asked for.
type asked struct {
	Name      string    `json:"name"`
	ID        string    `json:"id"`
	Uses      int64     `json:"uses"`
	FirstUsed time.Time `json:"firstUsed"`
	LastUsed  time.Time `json:"lastUsed"`
}

type tallied struct {
	Reason   string `json:"reason"`
	Requests int64  `json:"requests"`
}

// Page answers how the trusted documents stand, as JSON. It is for the admin address.
func (s *Store) Page() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		body, err := json.MarshalIndent(s.page(), "", "  ")
		w.Header().Set("Cache-Control", "no-store")
		if err != nil {
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(append(body, '\n')) // whoever left needs no answer
	})
}

func (s *Store) page() page {
	current := s.set.Load()
	p := page{
		Mode: "trusted", Since: s.since, Generation: s.Generation(), Documents: len(current.byHash),
		Sources: *s.states.Load(), Problems: *s.problems.Load(), Manifests: []version{}, Strangers: listed(current.strangers),
	}
	if s.open {
		p.Mode = "open"
	}
	for i, reason := range refusals {
		p.Refused[i] = tallied{reason, s.refused[i].Load()}
	}
	for _, m := range current.list {
		p.Manifests = append(p.Manifests, m.version())
	}
	if p.Sources == nil {
		p.Sources = []state{}
	}
	if p.Problems == nil {
		p.Problems = []Problem{}
	}
	return p
}

func (m *manifest) version() version {
	v := version{
		Client: m.Client, Source: m.source, Loaded: m.loaded, Documents: len(m.entries),
		Others: m.others.count.Load(), Used: listed(m.uses), Unused: []string{},
	}
	for d, u := range m.uses {
		if u.count.Load() == 0 {
			v.Unused = append(v.Unused, d.Name)
		}
	}
	slices.Sort(v.Unused)
	for _, a := range v.Used {
		v.Uses += a.Uses
		if v.LastUsed == nil || a.LastUsed.After(*v.LastUsed) {
			v.LastUsed = &a.LastUsed
		}
	}
	return v
}

// listed are the documents that were asked for, the last one first.
func listed(uses map[*Document]*usage) []asked {
	list := []asked{}
	for d, u := range uses {
		if n := u.count.Load(); n > 0 {
			list = append(list, asked{d.Name, d.ID(), n, time.Unix(0, u.first.Load()).UTC(), time.Unix(0, u.last.Load()).UTC()})
		}
	}
	slices.SortFunc(list, func(a, b asked) int {
		return cmp.Or(b.LastUsed.Compare(a.LastUsed), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return list
}
