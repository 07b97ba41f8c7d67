package quick

import "bytes"

// Lately is what was made of the last values of a kind in an answer. Where a value comes again, as what rows have
// in common does, it is not read again but compared, which takes a fraction of that, and what was made of it is shared.
// It is for values at one place of an answer, such as a field of its rows; begin with an empty one.
type Lately[T any] struct {
	list  [mostLately]written[T]
	count int // of all that were kept; the last takes the place of the first
	of    *Reader
	round int // of the reader, which reads one answer after the other
}

const mostLately = 16 // a power of 2

// written is a value as it stands in the answer, and what was made of it.
type written[T any] struct {
	raw  []byte
	made T
}

// Again goes past the next value if it came lately, and answers what was made of it.
func (l *Lately[T]) Again(r *Reader) (made T, again bool) {
	l.follow(r)
	if r.peek() == 0 {
		return made, false
	}
	rest := r.data[r.at:]
	for back := 1; back <= min(l.count, mostLately); back++ {
		w := &l.list[(l.count-back)%mostLately]
		if bytes.HasPrefix(rest, w.raw) {
			r.at += len(w.raw)
			return w.made, true
		}
	}
	return made, false
}

// Keep remembers what was made of the value that was just read, which began at [Reader.Here].
func (l *Lately[T]) Keep(r *Reader, here int, made T) {
	l.follow(r)
	if r.bad || here >= r.at {
		return
	}
	switch r.data[here] {
	case '{', '[', '"': // no other value begins with one of these
		l.list[l.count%mostLately] = written[T]{r.data[here:r.at], made}
		l.count++
	}
}

// Forget lets go of all, for who keeps l for another answer.
func (l *Lately[T]) Forget() {
	clear(l.list[:min(l.count, mostLately)])
	l.count, l.of, l.round = 0, nil, 0
}

// follow forgets what another answer had: its memory may be another's by now.
func (l *Lately[T]) follow(r *Reader) {
	if l.of != r || l.round != r.round {
		l.Forget()
		l.of, l.round = r, r.round
	}
}

// Here is where the next value begins, for [Lately.Keep].
func (r *Reader) Here() int {
	r.peek()
	return r.at
}
