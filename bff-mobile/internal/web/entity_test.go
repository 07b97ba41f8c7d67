package web

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNoneMatch(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]bool{
		"": false, "*": true, " * ": true, `"a"`: true, `W/"a"`: true, `"b", "a"`: true, `"b","a"`: true, ` "b" ,, "a" `: true, "\"b\"\t,\"a\"": true,
		`"b"`: false, `a`: false, `"a`: false, `a"`: false, `"aa"`: false, `w/"a"`: false, `"b" x "a"`: false, `"b, "a"`: false, `"",""`: false, `,`: false,
	} {
		assert.Equal(t, want, NoneMatch([]byte(field), `"a"`), "%q", field)
	}
	const most = 512 // bytes, as docs/mobile.md says
	others := strings.Repeat(" ", most-len(`"a"`))
	assert.True(t, NoneMatch([]byte(others+`"a"`), `"a"`))
	assert.False(t, NoneMatch([]byte(others+` "a"`), `"a"`), "what is longer is not looked at")
}

func FuzzNoneMatch(f *testing.F) {
	f.Add([]byte(`"a", W/"b", *`), `"a"`)
	f.Add([]byte(`"`), `"`)
	f.Fuzz(func(t *testing.T, field []byte, etag string) {
		if NoneMatch(field, etag) && !bytes.Contains(field, []byte("*")) {
			assert.Contains(t, string(field), etag)
		}
	})
}
