package documents

import (
	"encoding/hex"
	"time"
)

// Problem is something in a source that cannot be used. What could be used before
// stays in its place.
type Problem struct {
	Source string `json:"source"`         // directory or redis
	File   string `json:"file,omitempty"` // <client>/<version>.json; empty when it is about the source
	ID     string `json:"id,omitempty"`   // of the document; empty when it is about the file
	Cause  string `json:"cause"`
}

// Error is all of it in one line.
func (p Problem) Error() string {
	text := p.Source
	if p.File != "" {
		text += ": " + p.File
	}
	if p.ID != "" {
		text += ": " + p.ID
	}
	return text + ": " + p.Cause
}

// manifest is what one version of a client was built with.
type manifest struct {
	Client
	source    string
	loaded    time.Time
	entries   []entry
	documents []*Document // of entries, in their order
	uses      map[*Document]*usage
	others    *usage // documents that the client named itself for and that are none of its own
}

// set is everything that is published, at one moment. It is never changed.
type set struct {
	byID      map[string]*Document // by every id that a document goes by
	manifests map[Client]*manifest
	list      []*manifest // by source, client and version
	byHash    map[[32]byte]*Document
	strangers map[*Document]*usage // documents asked for by clients that no manifest names
	bytes     int                  // of all texts
}

// newSet is an empty set.
func newSet() *set {
	return &set{
		byID: map[string]*Document{}, manifests: map[Client]*manifest{},
		byHash: map[[32]byte]*Document{}, strangers: map[*Document]*usage{},
	}
}

// takes tells what keeps m out of the set, by id: one of its ids stands for
// another document, or there is no room.
func (s *set) takes(m *manifest) []issue {
	var issues []issue
	size := s.bytes
	for i, e := range m.entries {
		d := m.documents[i]
		if held := s.byID[e.id]; held != nil && held != d {
			issues = append(issues, issue{e.id, "stands for another document in another manifest"})
		}
		if s.byHash[d.Hash] == nil {
			size += len(d.Text)
		}
	}
	if size > MaxTextBytes {
		issues = append(issues, issue{cause: tooMuchText})
	}
	return issues
}

const tooMuchText = "the documents of all manifests would have more than 32 MiB"

// add puts m into the set, with what is known of its use from before.
func (s *set) add(m *manifest, before *set) {
	known := before.manifests[m.Client]
	if known == nil {
		known = &manifest{others: &usage{}}
	}
	m.uses, m.others = make(map[*Document]*usage, len(m.documents)), known.others
	if twin := s.manifests[m.Client]; twin != nil { // in the other source: they are one to whoever counts
		m.uses, m.others = twin.uses, twin.others
	}
	for i, d := range m.documents {
		if s.byHash[d.Hash] == nil {
			s.byHash[d.Hash] = d
			s.bytes += len(d.Text)
			s.strangers[d] = orNew(before.strangers[d])
			s.name(d)
		}
		if s.byID[m.entries[i].id] == nil {
			s.byID[m.entries[i].id] = d
		}
		if m.uses[d] == nil {
			m.uses[d] = orNew(known.uses[d])
		}
	}
	s.list = append(s.list, m)
	if s.manifests[m.Client] == nil {
		s.manifests[m.Client] = m
	}
}

// name has a document found by its hash, with and without the word before it: the
// one is how documentId is written, the other what clients of persisted queries send.
func (s *set) name(d *Document) {
	digits := hex.EncodeToString(d.Hash[:])
	s.byID[prefix+digits] = d
	s.byID[digits] = d
}

// orNew is u, or one that counts from 0.
func orNew(u *usage) *usage {
	if u == nil {
		return &usage{}
	}
	return u
}
