package main

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const contract = `
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /v1/b/{id}:
    get:
      deprecated: true
      x-deprecated-at: '1970-01-02'
      parameters:
        - {name: old, in: query, deprecated: true, x-deprecated-at: '1970-01-03', x-sunset: '1970-01-04'}
        - {name: new, in: query}
    put: {}
  /v1/a:
    delete: {deprecated: true, x-deprecated-at: '1970-01-02', x-sunset: '1970-01-03'}
`

func rendered(t *testing.T, text string) (string, error) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(text))
	require.NoError(t, err)
	out, err := render(doc)
	return string(out), err
}

func TestWhatIsDeprecatedIsWritten(t *testing.T) {
	t.Parallel()
	out, err := rendered(t, contract)
	require.NoError(t, err)
	assert.Equal(t, `// Code generated from the contract by go generate; DO NOT EDIT.

package lifecycle

var deprecated = map[string]deprecation{
	"DELETE /v1/a": {whole: notice{at: 86400, sunset: 172800}},
	"GET /v1/b/:id": {whole: notice{at: 86400, sunset: 0}, query: map[string]notice{
		"old": {at: 172800, sunset: 259200},
	}},
}
`, out)
}

func TestMistakesInTheContractAreNamed(t *testing.T) {
	t.Parallel()
	for says, operation := range map[string]string{
		"GET /v1/a: what is deprecated needs x-deprecated-at": `{deprecated: true}`,
		"x-deprecated-at must be a date in quotes":            `{deprecated: true, x-deprecated-at: 'soon'}`,
		"x-sunset must be a date in quotes":                   `{deprecated: true, x-deprecated-at: '2026-11-21', x-sunset: 7}`,
		"x-sunset is before x-deprecated-at":                  `{deprecated: true, x-deprecated-at: '2026-11-21', x-sunset: '2026-11-20'}`,
		"GET /v1/a: only query parameters can be deprecated":  `{parameters: [{name: X-Old, in: header, deprecated: true}]}`,
	} {
		_, err := rendered(t, "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {/v1/a: {get: "+operation+"}}")
		require.ErrorContains(t, err, says)
	}
}
