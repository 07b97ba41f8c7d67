package quick

import (
	"encoding/json"
	"unicode/utf8"
)

// AppendText appends s as JSON, byte for byte as encoding/json writes it.
func AppendText[S ~string | ~[]byte](data []byte, s S) []byte {
	begin := len(data)
	data = append(data, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case asItIs[c]:
			data = append(data, c)
		case c == '"' || c == '\\':
			data = append(data, '\\', c)
		default:
			text, _ := json.Marshal(string(s)) // a string always can be written
			return append(data[:begin], text...)
		}
	}
	return append(data, '"')
}

// asItIs are the bytes that encoding/json does not escape.
var asItIs = func() (table [256]bool) {
	for c := range utf8.RuneSelf {
		switch c {
		case '"', '\\', '<', '>', '&', '\x7f':
		default:
			table[c] = c >= ' '
		}
	}
	return table
}()
