package cache

import (
	"slices"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// What goes to Redis alone is not kept for long. So the entries of a load, their keys and their
// tags lie in one piece with their neighbours' each: that takes a handful of pieces of memory
// instead of half a thousand. One that memory keeps would hold on to all of them, and is
// copied out before.

// together tells whether what r asks for will probably go to Redis alone.
func (c *Cache) together(r *request) bool { return len(r.keys) > 1 && r.plan.remote && c.passing() }

// name writes the stored keys, which begin with prefix, and what of them is reported.
func (b *batch[K, V]) name(r *request, keys []K, prefix []byte) {
	if r.joint = b.cache.together(r); r.joint {
		b.nameTogether(r, keys, prefix)
		return
	}
	for i, k := range keys {
		r.texts[i] = b.text(k)
		r.keys[i] = withArgs(prefix, r.texts[i])
	}
}

func (b *batch[K, V]) nameTogether(r *request, keys []K, prefix []byte) {
	var all strings.Builder
	key, text := make([]byte, 0, 256), make([]byte, 0, 64)
	for i, k := range keys {
		text = b.write(text[:0], k)
		key = appendField(append(key[:0], prefix...), view(text))
		if i == 0 {
			all.Grow(len(keys) * (len(key) + 4)) // about
		}
		from := all.Len()
		all.Write(key)
		r.keys[i] = all.String()[from:]
		r.texts[i] = r.keys[i][len(key)-len(text):]
	}
}

// tagsOf are those of the keys at the places which, one key's behind the other's.
func (r *request) tagsOf(which []int) []commerce.Tag {
	var room [commerce.MaxTag]byte
	var all strings.Builder
	bytes := 0
	for _, i := range which {
		for _, t := range r.plan.tags {
			if t.kind != "" {
				bytes += len(t.kind) + len(":") + len(r.subject(i)) // or less
			}
		}
	}
	all.Grow(bytes)
	list := make([]commerce.Tag, 0, len(which)*len(r.plan.tags))
	for _, i := range which {
		for _, t := range r.plan.tags {
			if t.kind == "" {
				list = append(list, t.fixed)
				continue
			}
			from := all.Len()
			all.Write(commerce.AppendTag(room[:0], t.kind, r.subject(i)))
			list = append(list, commerce.Tag(all.String()[from:]))
		}
	}
	return list
}

// harvest makes the entries of what a load brought.
type harvest struct {
	*load
	entries []entry        // room for those that lie together; nil when none do
	tags    []commerce.Tag // room for their tags, where values tell some
	last    []commerce.Tag // what the value before told
}

// harvest is for n entries; past says that memory has no room for them.
func (l *load) harvest(n int, past bool) harvest {
	const own = 2 // tags that a usual value tells
	h := harvest{load: l}
	if past && n > 1 {
		h.entries = make([]entry, n)
		if l.plan.extra != nil {
			h.tags = make([]commerce.Tag, 0, n*(len(l.plan.tags)+own))
		}
	}
	return h
}

// entry is what the flight at place i brought.
func (h *harvest) entry(i int, value any) *entry {
	f := h.flights[i]
	var e *entry
	if f.joint && len(h.entries) > 0 {
		e, h.entries = &h.entries[0], h.entries[1:]
	} else {
		e = &entry{}
	}
	e.joint = f.joint
	return e.holds(value, f.began, h.plan.policy).of(h.plan, h.keys[i]).tagged(h.tagged(f, value), *f.stamp)
}

// tagged are the tags of f's key and those that its value tells.
func (h *harvest) tagged(f *flight, value any) []commerce.Tag {
	if h.plan.extra == nil {
		return f.tags
	}
	var tags []commerce.Tag
	if f.joint && h.tags != nil {
		from := len(h.tags)
		h.tags = h.plan.own(append(h.tags, f.tags...), h.last, value)
		tags = slices.Clip(h.tags[from:])
	} else {
		tags = h.plan.own(slices.Clip(f.tags), h.last, value)
	}
	h.last = tags[len(f.tags):]
	return tags
}

// alone is e without what it has in one piece with others.
func (e *entry) alone() *entry {
	if !e.joint {
		return e
	}
	own := &entry{value: e.value, missing: e.missing, began: e.began, fresh: e.fresh}
	own.of(e.plan, strings.Clone(e.key)).tagged(e.plan.tagsAlone(e.tags), e.stamp)
	own.version.Store(e.version.Load())
	own.seen.Store(e.seen.Load())
	own.held.Store(e.held.Load())
	return own
}

// tagsAlone are tags of an answer, of which those of its key lie in a piece of their own.
func (p *plan) tagsAlone(tags []commerce.Tag) []commerce.Tag {
	var room [256]byte
	text, own := room[:0], make([]commerce.Tag, len(tags))
	copy(own, tags)
	for n, t := range p.tags {
		if t.kind != "" {
			text = append(text, tags[n]...)
		}
	}
	all := commerce.Tag(text)
	for n, t := range p.tags {
		if t.kind != "" {
			own[n], all = all[:len(tags[n])], all[len(tags[n]):]
		}
	}
	return own
}
