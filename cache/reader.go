package cache

import (
	"encoding/binary"

	"github.com/portico-bff/portico/schema/commerce"
)

// reader takes pieces off a stored entry; once one is missing, ok is false.
type reader struct {
	rest []byte
	ok   bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.ok, r.rest = false, nil
		return nil
	}
	piece := r.rest[:n]
	r.rest = r.rest[n:]
	return piece
}

func (r *reader) number() uint64 {
	if b := r.take(8); len(b) == 8 {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) tags() []commerce.Tag {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > maxStoredTags {
		r.ok = false
		return nil
	}
	r.take(size)
	var list []commerce.Tag
	for range n {
		tag, err := commerce.ParseTag(string(r.field()))
		r.ok = r.ok && err == nil
		list = append(list, tag)
	}
	return list
}

func (r *reader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) field() []byte {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > uint64(len(r.rest)) {
		r.ok = false
		return nil
	}
	r.take(size)
	return r.take(int(n))
}
