package quick

import (
	"encoding/json"
	"unicode/utf8"
)

// AppendText appends s as JSON, byte for byte as encoding/json writes it.
func AppendText(data []byte, s string) []byte {
	for i := range len(s) {
		if !asItIs[s[i]] {
			text, _ := json.Marshal(s) // a string always can be written
			return append(data, text...)
		}
	}
	data = append(data, '"')
	data = append(data, s...)
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
