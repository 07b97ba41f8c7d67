package web

import (
	"bytes"
	"unsafe"
)

// field is a line of a request's header that means something before a handler does.
type field uint8

const (
	fieldOther field = iota // means nothing here, and may be repeated
	fieldHost
	fieldContentLength
	fieldTransferEncoding
	fieldContentType
	fieldContentEncoding
	fieldConnection
	fieldAuthorization
	fieldIdempotencyKey
	fieldOrderToken
	fieldChannel
	fieldCurrency
	fieldCountry
	fieldAcceptLanguage
	fieldRequestID
	fieldPlatform
	fieldDensity
	fieldAppVersion
	fieldIfMatch
	fieldIfNoneMatch
	fieldAcceptEncoding
	lastField
)

// names of the fields, in lower case. once are those that mean nothing, or something
// dangerous, when they are there twice.
var names = [lastField]struct {
	name string
	once bool
}{
	fieldHost:             {"host", true},
	fieldContentLength:    {"content-length", true},
	fieldTransferEncoding: {"transfer-encoding", true},
	fieldContentType:      {"content-type", true},
	fieldContentEncoding:  {"content-encoding", true},
	fieldConnection:       {"connection", false},
	fieldAuthorization:    {"authorization", true},
	fieldIdempotencyKey:   {"idempotency-key", true},
	fieldOrderToken:       {"x-order-token", true},
	fieldChannel:          {"x-channel", true},
	fieldCurrency:         {"x-currency", true},
	fieldCountry:          {"x-country", true},
	fieldAcceptLanguage:   {"accept-language", false},
	fieldRequestID:        {"x-request-id", false},
	fieldPlatform:         {"x-platform", true},
	fieldDensity:          {"x-pixel-density", true},
	fieldAppVersion:       {"x-app-version", true},
	fieldIfMatch:          {"if-match", false},
	fieldIfNoneMatch:      {"if-none-match", false},
	fieldAcceptEncoding:   {"accept-encoding", false},
}

// longestName is that of the longest name of a field, in bytes.
const longestName = len("transfer-encoding")

// byLength are the fields by the length of their names.
var byLength = func() (list [longestName + 1][]field) {
	for f := fieldOther + 1; f < lastField; f++ {
		n := len(names[f].name)
		list[n] = append(list[n], f)
	}
	return list
}()

// fieldOf tells which field a token names.
func fieldOf(token []byte) field {
	if len(token) > longestName {
		return fieldOther
	}
	for _, f := range byLength[len(token)] {
		if folded(token, names[f].name) {
			return f
		}
	}
	return fieldOther
}

// folded tells whether a token is name but for the case of letters. name has lower case
// letters and hyphens only, so that no other byte of a token becomes one of its.
func folded(token []byte, name string) bool {
	for i, b := range token {
		if b|0x20 != name[i] {
			return false
		}
	}
	return true
}

// tokenBytes are the bytes of a token of RFC 9110, section 5.6.2.
var tokenBytes = func() (list [256]bool) {
	for b := range list {
		list[b] = b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), byte(b)) >= 0
	}
	return list
}()

// token tells whether name is a token of RFC 9110.
func token(name []byte) bool {
	for _, b := range name {
		if !tokenBytes[b] {
			return false
		}
	}
	return len(name) > 0
}

// sent is the fields of a request's header: which are there, and the value of
// its first line without the spaces around it. Values are views of the request's memory.
type sent struct {
	there [lastField]bool
	again [lastField]bool // in more lines than one
	first [lastField][]byte
	leave bool // Connection says that it is closed
}

func (l *sent) has(f field) bool { return l.there[f] }

// read reads the lines of a header in one pass. It answers false when one of them is
// none, or is there too often, or when it is not clear where the body ends.
func (l *sent) read(raw []byte) bool {
	for len(raw) > 0 {
		end := bytes.IndexByte(raw, '\n')
		if end < 1 || raw[end-1] != '\r' {
			return false
		}
		line := raw[:end-1]
		if raw = raw[end+1:]; len(line) == 0 {
			continue
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 0 || !token(line[:colon]) || !l.take(fieldOf(line[:colon]), line[colon+1:]) {
			return false
		}
	}
	return !l.has(fieldTransferEncoding) || !l.has(fieldContentLength)
}

// take notes one line. It answers false when that must not be there.
func (l *sent) take(f field, value []byte) bool {
	if f == fieldOther {
		return true
	}
	value = trimmed(value)
	switch f {
	case fieldTransferEncoding:
		if !bytes.EqualFold(value, []byte("chunked")) {
			return false
		}
	case fieldConnection:
		l.leave = l.leave || leaving(value)
	}
	if l.there[f] {
		l.again[f] = true
		return !names[f].once
	}
	l.there[f], l.first[f] = true, value
	return true
}

// trimmed is value without the spaces and tabs around it.
func trimmed(value []byte) []byte {
	for len(value) > 0 && (value[0] == ' ' || value[0] == '\t') {
		value = value[1:]
	}
	for n := len(value); n > 0 && (value[n-1] == ' ' || value[n-1] == '\t'); n-- {
		value = value[:n-1]
	}
	return value
}

// leaving tells whether close is one of the options of Connection.
func leaving(connection []byte) bool {
	for option := range bytes.SplitSeq(connection, []byte(",")) {
		if bytes.EqualFold(bytes.TrimSpace(option), []byte("close")) {
			return true
		}
	}
	return false
}

// bytesOf is s as bytes, which are only read.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// viewed is b as a string, for as long as b is not written to.
func viewed(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
