package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/openapi"
)

func TestRulesAreCurrent(t *testing.T) {
	t.Parallel()
	want, err := generate(openapi.Mobile)
	require.NoError(t, err)
	have, err := os.ReadFile("../../api/rules.gen.go")
	require.NoError(t, err)
	require.Equal(t, string(want), string(have), "run go generate ./internal/api")
}

// A contract that leaves an input without limits is refused, not filled in.
func TestInputsWithoutLimitsAreRefused(t *testing.T) {
	t.Parallel()
	const contract = `{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{"/a":{"get":{"operationId":"a","responses":{"200":{"description":"d"}},` +
		`"parameters":[{"name":"p","in":"query","schema":SCHEMA}]}}}}`
	for schema, message := range map[string]string{
		`{"type":"string"}`:                                        "a text needs",
		`{"type":"string","maxLength":9}`:                          "",
		`{"type":"string","enum":["a"]}`:                           "",
		`{"type":"integer","minimum":1}`:                           "a number needs",
		`{"type":"integer","minimum":1,"maximum":2}`:               "",
		`{"type":"array","items":{"type":"string","maxLength":9}}`: "a list needs",
		`{"type":"array","maxItems":9,"items":{"type":"string"}}`:  "a: p[]: a text needs",
		`{"type":"object"}`:                                        "additionalProperties",
		`{"type":"number"}`:                                        "not known",
		`{"type":"boolean"}`:                                       "",
		`{"type":"object","additionalProperties":false}`:           "",
	} {
		_, err := generate([]byte(strings.Replace(contract, "SCHEMA", schema, 1)))
		if message == "" {
			require.NoError(t, err, schema)
			continue
		}
		require.ErrorContains(t, err, message, schema)
	}
}
