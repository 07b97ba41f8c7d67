// Package quicktest holds what is read quickly against encoding/json.
package quicktest

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/quick"
)

// Agree fails the test when data is read quickly into what made makes, and encoding/json
// reads it otherwise, or not at all. It tells whether data was read quickly.
func Agree(t testing.TB, data []byte, made func() quick.Value) bool {
	t.Helper()
	if !utf8.Valid(data) {
		return false
	}
	got := made()
	if !quick.Unmarshal(data, got) {
		return false
	}
	want := made()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	require.NoError(t, dec.Decode(want), "%s", data)
	_, err := dec.Token()
	require.ErrorIs(t, err, io.EOF, "%s", data)
	require.Equal(t, want, got, "%s", data)
	return true
}

// Spoil calls each with what may have become of good answers: every value in them, one
// after the other, is replaced, or there twice.
func Spoil(good []byte, each func([]byte)) {
	replacements := []string{"null", `""`, "1.5", "-7", "12345678901234567890", "{}", "[]", `[1,"x"]`, "true", `"\u00e9\ud800"`, "1e3", ",", ""}
	for at := range good {
		if at > 0 && !bytes.ContainsAny(good[at-1:at], ":,[{") {
			continue
		}
		const most = 2 // values that begin here: a name, and a member
		for end, n := at+1, 0; end <= min(len(good), at+48) && n < most; end++ {
			if end < len(good) && !bytes.ContainsAny(good[end:end+1], ",]}:") {
				continue
			}
			n++
			for _, r := range replacements {
				each(append(append(bytes.Clone(good[:at]), r...), good[end:]...))
			}
			each(append(append(bytes.Clone(good[:end]), ','), good[at:]...)) // twice
		}
	}
}
