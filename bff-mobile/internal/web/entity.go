package web

import "bytes"

// NoneMatch tells whether an If-None-Match field names etag, a strong entity tag with its
// quotes: then the answer is 304. Tags are compared weakly, as RFC 9110 (13.1.2) wants it
// here; * matches everything. What is no list of tags matches nothing from there on.
func NoneMatch(field []byte, etag string) bool {
	field = bytes.TrimSpace(field)
	if string(field) == "*" {
		return true
	}
	for len(field) > 0 {
		tag, rest, ok := cutTag(field)
		if !ok {
			return false
		}
		if string(tag) == etag {
			return true
		}
		field = rest
	}
	return false
}

// cutTag cuts the first entity tag of a list off, without its weakness.
func cutTag(list []byte) (tag, rest []byte, ok bool) {
	list = bytes.TrimLeft(list, ", \t")
	list = bytes.TrimPrefix(list, []byte("W/"))
	if len(list) == 0 || list[0] != '"' {
		return nil, nil, false
	}
	end := bytes.IndexByte(list[1:], '"')
	if end < 0 {
		return nil, nil, false
	}
	return list[:end+2], list[end+2:], true
}
