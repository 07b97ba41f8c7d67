package graphhttp

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

// A document's text may be named instead of sent, so that a body needs no query here.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"query":"{__typename}","variables":{"a":[1]},"operationName":null}`))
	f.Add([]byte(`[{}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := decode(body)
		var object map[string]json.RawMessage
		if err == nil && (!utf8.Valid(body) || json.Unmarshal(body, &object) != nil) {
			t.Fatal("what is no object in UTF-8 was taken")
		}
	})
}

func TestNegotiate(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]string{
		"": jsonType, "*/*": jsonType, "application/*": jsonType, "text/html": "", "application/json;q=0": "",
		graphType: graphType, graphType + ";q=0.1, */*;q=0.01": graphType, "nonsense;;, application/json": jsonType,
		graphType + "; charset=latin1": "", "application/json;q=2": "", jsonType: jsonType, " ": jsonType,
	} {
		assert.Equal(t, want, negotiate(accept), accept)
	}
}
