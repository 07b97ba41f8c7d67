package graphhttp

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"query":"{__typename}","variables":{"a":[1]},"operationName":null}`))
	f.Add([]byte(`[{}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		params, err := decode(body)
		if err == nil && params.Query == "" {
			t.Fatal("a body without a query was taken")
		}
	})
}

func TestNegotiate(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]string{
		"": jsonType, "*/*": jsonType, "application/*": jsonType, "text/html": "", "application/json;q=0": "",
		graphType: graphType, graphType + ";q=0.1, */*;q=0.01": graphType, "nonsense;;, application/json": jsonType,
		graphType + "; charset=latin1": "", "application/json;q=2": "",
	} {
		assert.Equal(t, want, negotiate(accept), accept)
	}
}
