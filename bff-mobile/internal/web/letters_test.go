package web

import (
	"bufio"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"
)

// lettersOf is how a request is found among what is kept, if it may be.
func lettersOf(t *testing.T, target, lines string) (string, bool) {
	t.Helper()
	var header fasthttp.RequestHeader
	require.NoError(t, header.Read(bufio.NewReaderSize(strings.NewReader("GET "+target+" HTTP/1.1\r\nHost: portico.test\r\n"+lines+"\r\n"), 16<<10)))
	var h head
	h.look(&header)
	letters, ok := h.letters(nil, &header)
	return string(letters), ok
}

// A name in memory is no longer than it has to be, whatever is sent.
func TestLettersHaveALimit(t *testing.T) {
	t.Parallel()
	const longest = 1024 // bytes
	long := func(n int) string { return strings.Repeat("a", n) }
	for what, c := range map[string]struct {
		target, lines string
		ok            bool
	}{
		"target":            {"/" + long(longest-1), "", true},
		"long target":       {"/" + long(longest), "", false},
		"language":          {"/", "Accept-Language: " + long(longest) + "\r\n", true},
		"long language":     {"/", "Accept-Language: " + long(longest+1) + "\r\n", false},
		"long version":      {"/", "X-App-Version: " + long(longest+1) + "\r\n", false},
		"empty channel":     {"/", "X-Channel:\r\n", false},
		"coding, however":   {"/", "Accept-Encoding: " + strings.Repeat("br, ", 1000) + "br\r\n", true},
		"tags, however":     {"/", "If-None-Match: " + strings.Repeat(`"a", `, 1000) + `"a"` + "\r\n", true},
		"several tag lines": {"/", "If-None-Match: \"a\"\r\nIf-None-Match: \"b\"\r\n", false},
		"signed in":         {"/", "Authorization: Bearer x\r\n", false},
		"a version wanted":  {"/", "If-Match: \"a\"\r\n", false},
		"several codings":   {"/", "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n", false},
		"two channels":      {"/", "X-Channel: us\r\nX-Channel: eu\r\n", false},
		"a body in chunks":  {"/", "Transfer-Encoding: chunked\r\n", false},
		"a body":            {"/", "Content-Length: 0\r\n", false},
	} {
		letters, ok := lettersOf(t, c.target, c.lines)
		assert.Equal(t, c.ok, ok, what)
		assert.Less(t, len(letters), 3*longest, what)
	}
	bare, _ := lettersOf(t, "/", "")
	tagged, _ := lettersOf(t, "/", "If-None-Match: \"a\"\r\n")
	assert.Equal(t, bare, tagged, "what the client has is no matter of which answer it is")
}
