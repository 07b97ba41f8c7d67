package pimcore

import (
	"sync"

	"github.com/portico-bff/portico/connectors/quick"
)

// Answers that are long, read in one pass, each row into the room of the one before it: what
// is shown of a row is made before the next is read. What they do not read is read by
// encoding/json: an answer with errors, for one.

// room is where rows are read, one after the other.
type room interface {
	quick.Value // reads one into an empty room
	empty()     // makes room for another of the same answer
	forget()    // makes room for any answer's, and holds on to nothing
}

// leave gives a room back for the next answer.
func leave[T any](rooms *sync.Pool, row *T) {
	if r, ok := any(row).(room); ok {
		r.forget()
		rooms.Put(row)
	}
}

// ReadQuick implements [quick.Value] for rows that have room; of others it reads nothing.
func (w *wireAnswer[T]) ReadQuick(r *quick.Reader) bool {
	row, able := any(w.row).(room)
	if !able || w.take == nil {
		return false
	}
	r.Object()
	if string(r.Next()) != "data" {
		return r.Fail()
	}
	r.Object()
	if string(r.Next()) != w.root {
		return r.Fail()
	}
	w.listing(r, row)
	for range 2 { // the end of data, and of the answer
		if r.Next() != nil {
			return r.Fail()
		}
	}
	w.taken = r.OK()
	return w.taken
}

func (w *wireAnswer[T]) listing(r *quick.Reader, row room) {
	var seen uint64
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		switch string(name) {
		case "totalCount":
			r.Int()
			r.Once(&seen, 0)
		case "edges":
			r.Once(&seen, 1)
			for r.Array(); r.More(); {
				w.edge(r, row)
			}
		default:
			r.Fail()
		}
	}
	if seen&2 == 0 {
		r.Fail()
	}
}

func (w *wireAnswer[T]) edge(r *quick.Reader, row room) {
	r.Object()
	if string(r.Next()) != "node" {
		r.Fail()
		return
	}
	if !r.Null() {
		row.empty()
		if !row.ReadQuick(r) {
			r.Fail()
			return
		}
		w.take(w.row)
	}
	if r.Next() != nil {
		r.Fail()
	}
}

// listOf reads an array whose members may be null, which are empty, into list's room; null is none.
func listOf[T any, V interface {
	*T
	quick.Value
}](r *quick.Reader, list []T) []T {
	list = list[:0]
	if r.Null() {
		return list
	}
	for r.Array(); r.More(); {
		var empty T
		list = append(list, empty)
		orNull(r, V(&list[len(list)-1]))
	}
	return list
}

// mostRoom is for how many members of a list a room is kept.
const mostRoom = 64

// emptied is list's room, which holds on to nothing; none if it is large.
func emptied[T any](list []T) []T {
	if cap(list) > mostRoom {
		return nil
	}
	clear(list[:cap(list)])
	return list[:0]
}

// orNull reads v, or null.
func orNull(r *quick.Reader, v quick.Value) {
	if !r.Null() {
		v.ReadQuick(r)
	}
}

// oneText reads an object that has one text, or none.
func oneText(r *quick.Reader, field string, to *string) bool {
	r.Object()
	for name := r.Next(); name != nil; name = r.Next() {
		if string(name) != field || *to != "" {
			return r.Fail()
		}
		*to = r.Text()
	}
	return r.OK()
}

// firstOwn is the number of the first field that is not of [wireNames].
const firstOwn = 2

// readName reads the text that is called name, and answers its field's number; false when it is none of them.
func (w *wireNames) readName(r *quick.Reader, name []byte) (field int, read bool) {
	switch string(name) {
	case "name":
		w.Name = r.Text()
		return 0, true
	case "fallbackName":
		w.FallbackName = r.TextLike(w.Name)
		return 1, true
	default:
		return 0, false
	}
}
