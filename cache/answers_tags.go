package cache

import (
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/portico-bff/portico/schema/commerce"
)

// tagText is tags, each once, with a space between them: no tag has one. A list of a
// hundred products has some four hundred; as one text they are one piece of memory, which
// the garbage collector need not look into.
type tagText string

// all are the tags, in their order.
func (t tagText) all() iter.Seq[commerce.Tag] {
	return func(see func(commerce.Tag) bool) {
		for rest, more := string(t), t != ""; more; {
			var tag string
			if tag, rest, more = strings.Cut(rest, " "); !see(commerce.Tag(tag)) {
				return
			}
		}
	}
}

// lives is [tagTable.alive] of an answer with such tags.
func (t *tagTable) lives(e *entry, tags tagText) bool {
	now := t.seq.Load()
	if e.seen.Load() == now+1 {
		return true
	}
	if t.struckAny(tags, e.stamp.local) {
		return false
	}
	e.seen.Store(now + 1) // 0 means never looked at
	return true
}

// struckAny is [tagTable.struck] for such tags.
func (t *tagTable) struckAny(tags tagText, since uint64) bool {
	if t.seq.Load() == since {
		return false
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.floor.local > since {
		return true
	}
	for tag := range tags.all() {
		if t.marks[tag].local > since {
			return true
		}
	}
	return false
}

// tagSet is a list that has each tag once.
type tagSet struct {
	list  []commerce.Tag
	known map[commerce.Tag]struct{} // those in it, once there are many
}

const (
	// fewTags are sooner looked through than looked up.
	fewTags = 32
	// usualTags is how many a set that is lent out again may have had.
	usualTags = 4096
)

// tagSets are lent to who puts tags together, which takes a good part of proving an answer.
var tagSets = sync.Pool{New: func() any { return &tagSet{} }}

// giveBack is for who needs the set no more.
func (s *tagSet) giveBack() {
	if cap(s.list) > usualTags {
		return
	}
	clear(s.list)
	clear(s.known)
	s.list = s.list[:0]
	tagSets.Put(s)
}

// addAll adds the tags of all sources.
func (s *tagSet) addAll(sources []commerce.Source) {
	var last []commerce.Tag
	for i := range sources {
		tags := sources[i].Tags
		for n, tag := range tags {
			// Those of an operation and its system end the list, the same for neighbours.
			if back := len(last) - len(tags) + n; back < 0 || last[back] != tag {
				s.add(tag)
			}
		}
		last = tags
	}
}

func (s *tagSet) add(tag commerce.Tag) {
	if len(s.list) < fewTags {
		if !slices.Contains(s.list, tag) {
			s.list = append(s.list, tag)
		}
		return
	}
	if len(s.known) == 0 {
		if s.known == nil {
			s.known = map[commerce.Tag]struct{}{}
		}
		for _, tag := range s.list {
			s.known[tag] = struct{}{}
		}
	}
	if _, known := s.known[tag]; !known {
		s.known[tag] = struct{}{}
		s.list = append(s.list, tag)
	}
}

// text is the set as one text, in order where it is no longer than most.
func (s *tagSet) text(most int) tagText {
	length := len(s.list) - 1
	for _, tag := range s.list {
		length += len(tag)
	}
	if length <= most {
		slices.Sort(s.list)
	}
	var b strings.Builder
	b.Grow(max(length, 0))
	for i, tag := range s.list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(tag))
	}
	return tagText(b.String())
}
