package graphhttp

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestW3_DeepParametersAreRefused takes variables and extensions at the edge, and far
// beyond it, in the body and in a URL.
func TestW3_DeepParametersAreRefused(t *testing.T) {
	t.Parallel()
	const message = "lists and objects in variables and extensions may be nested 20 deep at most"
	for _, name := range []string{"variables", "extensions"} {
		for _, kind := range [][2]string{{"[", "]"}, {`{"a":`, "}"}} {
			for _, n := range []int{1, maxParameterNesting, maxParameterNesting + 1, 9_000} {
				object := `{"b":1,"a":` + strings.Repeat(kind[0], n-1) + "1" + strings.Repeat(kind[1], n-1) + "}"
				_, body := decode([]byte(`{"query":"{a}","` + name + `":` + object + `}`))
				_, inURL := readURL(&url.URL{RawQuery: url.Values{"query": {"{a}"}, name: {object}}.Encode()})
				if n <= maxParameterNesting {
					require.NoError(t, body, "%s %d", name, n)
					require.NoError(t, inURL, "%s %d", name, n)
					continue
				}
				require.EqualError(t, body, message)
				require.EqualError(t, inURL, message)
			}
		}
	}
}

func TestW3_WhatIsQuotedNestsNothing(t *testing.T) {
	t.Parallel()
	p, err := decode([]byte(`{"query":"` + strings.Repeat("[{", 40) + `","variables":{"a":"\"` + strings.Repeat("[{", 40) + `\\"}}`))
	require.NoError(t, err)
	assert.Equal(t, `"`+strings.Repeat("[{", 40)+`\`, p.Variables["a"])
	_, err = decode([]byte(strings.Repeat("[", 9_000)))
	assert.Error(t, err, "what is no JSON is refused as well")
	_, err = decode([]byte(`{"query":"` + strings.Repeat(`\`, 9)))
	assert.Error(t, err)
}
