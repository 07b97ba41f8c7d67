//go:build e2e

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const (
	releasedContract = "../schema/openapi/released/mobile.yaml"
	currentContract  = "../schema/openapi/mobile.yaml"
)

// mapping is a mapping of a document.
type mapping map[string]any

// at is the mapping that names lead to.
func (n mapping) at(t *testing.T, names ...string) mapping {
	t.Helper()
	for _, name := range names {
		next, ok := n[name].(mapping)
		require.True(t, ok, "no mapping %q of %v", name, names)
		n = next
	}
	return n
}

func (n mapping) drop(t *testing.T, name string) {
	t.Helper()
	require.Contains(t, n, name)
	delete(n, name)
}

func (n mapping) put(name string, value any) { n[name] = value }

// without drops a value of a list.
func (n mapping) without(t *testing.T, list string, value any) {
	t.Helper()
	have, ok := n[list].([]any)
	require.True(t, ok, "no list %q", list)
	var rest []any
	for _, v := range have {
		if v != value {
			rest = append(rest, v)
		}
	}
	require.Len(t, rest, len(have)-1)
	n[list] = rest
}

func (n mapping) also(t *testing.T, list string, value any) {
	t.Helper()
	have, ok := n[list].([]any)
	require.True(t, ok, "no list %q", list)
	n[list] = append(have, value)
}

// The places of the contract that the changes are made at.
func card(t *testing.T, n mapping) mapping {
	return n.at(t, "components", "schemas", "ProductCard", "properties")
}

func product(t *testing.T, n mapping) mapping {
	return n.at(t, "paths", "/v1/screens/products/{sku}", "get")
}

var optional = mapping{"name": "tenant", "in": "query", "description": "Whose.", "schema": mapping{"type": "string"}}

func required() mapping {
	return mapping{"name": "tenant", "in": "query", "required": true, "description": "Whose.", "schema": mapping{"type": "string"}}
}

// changes are what may become of a contract between two releases. That it is OpenAPI 3.1,
// whose types may be lists and whose constants are values, makes no difference.
var changes = map[string]struct {
	change func(t *testing.T, n mapping)
	breaks bool
	says   string // the rule, when it breaks
}{
	"nothing": {change: func(*testing.T, mapping) {}},
	"a required field goes": {func(t *testing.T, n mapping) {
		n.at(t, "components", "schemas", "ProductCard").without(t, "required", "name")
		card(t, n).drop(t, "name")
	}, true, "response-required-property-removed"},
	"an optional field goes": {func(t *testing.T, n mapping) { card(t, n).drop(t, "brand") }, true, "response-optional-property-removed"},
	"a field may be missing": {func(t *testing.T, n mapping) {
		n.at(t, "components", "schemas", "ProductCard").without(t, "required", "name")
	}, true, "response-property-became-optional"},
	"a field may be null":     {func(t *testing.T, n mapping) { card(t, n).at(t, "brand").put("type", []any{"string", "null"}) }, true, "response-property-became-nullable"},
	"a field is another type": {func(t *testing.T, n mapping) { card(t, n).at(t, "brand").put("type", "integer") }, true, "response-property-type-changed"},
	"a field is a constant":   {func(t *testing.T, n mapping) { card(t, n).put("brand", mapping{"const": 7}) }, true, "response-property-type-changed"},
	"a parameter is needed":   {func(t *testing.T, n mapping) { product(t, n).also(t, "parameters", required()) }, true, "new-required-request-parameter"},
	"a parameter is narrower": {func(t *testing.T, n mapping) {
		n.at(t, "components", "parameters", "First20", "schema").put("maximum", 10)
	}, true, "request-parameter-max-decreased"},
	"a parameter's value goes": {func(t *testing.T, n mapping) {
		n.at(t, "components", "parameters", "Sort", "schema").without(t, "enum", "NEWEST")
	}, true, "request-parameter-enum-value-removed"},
	"a field of a body is asked": {func(t *testing.T, n mapping) {
		body := n.at(t, "components", "schemas", "AddLine")
		body.at(t, "properties").put("gift", mapping{"type": "boolean"})
		body.also(t, "required", "gift")
	}, true, "new-required-request-property"},
	"a value of a field goes": {func(t *testing.T, n mapping) {
		n.at(t, "components", "schemas", "Degraded", "properties", "state").without(t, "enum", "filler")
	}, true, "response-property-enum-value-removed"},
	"a value of a field comes": {func(t *testing.T, n mapping) {
		n.at(t, "components", "schemas", "Degraded", "properties", "state").also(t, "enum", "dropped")
	}, true, "response-property-enum-value-added"},
	"a status goes": {func(t *testing.T, n mapping) { product(t, n).at(t, "responses").drop(t, "404") }, true, "response-non-success-status-removed"},
	"success is another": {func(t *testing.T, n mapping) {
		r := product(t, n).at(t, "responses")
		r.put("203", r["200"])
		r.drop(t, "200")
	}, true, "response-success-status-removed"},
	"an operation goes":     {func(t *testing.T, n mapping) { n.at(t, "paths").drop(t, "/v1/orders") }, true, "api-path-removed-without-deprecation"},
	"a method goes":         {func(t *testing.T, n mapping) { n.at(t, "paths", "/v1/carts/{id}/coupon").drop(t, "delete") }, true, "api-removed-without-deprecation"},
	"an operation's name":   {func(t *testing.T, n mapping) { product(t, n).put("operationId", "product") }, true, "api-operation-id-removed"},
	"an optional parameter": {func(t *testing.T, n mapping) { product(t, n).also(t, "parameters", optional) }, false, ""},
	"a field comes": {func(t *testing.T, n mapping) {
		card(t, n).put("maker", mapping{"type": "string", "description": "Who."})
	}, false, ""},
	"a parameter's value comes": {func(t *testing.T, n mapping) {
		n.at(t, "components", "parameters", "Sort", "schema").also(t, "enum", "OLDEST")
	}, false, ""},
	"an operation comes": {func(t *testing.T, n mapping) {
		other := mapping{}
		for k, v := range product(t, n) {
			other[k] = v
		}
		other.put("operationId", "productScreenAgain")
		n.at(t, "paths").put("/v1/screens/again/{sku}", mapping{"get": other})
	}, false, ""},
	"an operation is deprecated": {func(t *testing.T, n mapping) {
		product(t, n).put("deprecated", true)
		product(t, n).put("x-sunset", "2099-01-01")
	}, false, ""},
}

// The check for breaking changes fails on what breaks an app, be it one whose types are
// generated, and on nothing else.
func TestTheContractCheckFailsOnWhatBreaksApps(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(releasedContract)
	require.NoError(t, err)
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var document mapping
			require.NoError(t, yaml.Unmarshal(text, &document))
			require.Equal(t, "3.1.0", document["openapi"])
			c.change(t, document)
			changed, err := yaml.Marshal(document)
			require.NoError(t, err)
			file := filepath.Join(t.TempDir(), "changed.yaml")
			require.NoError(t, os.WriteFile(file, changed, 0o600))
			out, err := target(t, "openapi-check", "CONTRACT="+file)
			assert.Equal(t, c.breaks, err != nil, out)
			assert.Contains(t, out, c.says)
		})
	}
}

// The check and its data fit what is there now.
func TestTheContractIsCleanAndBreaksNothing(t *testing.T) {
	t.Parallel()
	out, err := target(t, "openapi-check")
	require.NoError(t, err, out)
	out, err = target(t, "openapi-lint")
	require.NoError(t, err, out)
	require.Contains(t, out, "Your API description is valid")
}

// The lint sees what it has to see.
func TestTheContractsLintFindsMistakes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(currentContract)
	require.NoError(t, err)
	for rule, change := range map[string]func(t *testing.T, n mapping){
		"operation-operationId-unique": func(t *testing.T, n mapping) { product(t, n).put("operationId", "homeScreen") },
		"no-unresolved-refs":           func(t *testing.T, n mapping) { n.at(t, "components", "schemas").drop(t, "Money") },
		"no-unused-components":         func(t *testing.T, n mapping) { n.at(t, "components", "schemas").put("Lost", mapping{"type": "string"}) },
		"no-invalid-media-type-examples": func(t *testing.T, n mapping) {
			n.at(t, "components", "schemas", "Problem", "properties", "status").put("type", "string")
		},
		"struct": func(t *testing.T, n mapping) { product(t, n).put("parameter", []any{}) },
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			var document mapping
			require.NoError(t, yaml.Unmarshal(text, &document))
			change(t, document)
			changed, err := yaml.Marshal(document)
			require.NoError(t, err)
			file := filepath.Join(t.TempDir(), "changed.yaml")
			require.NoError(t, os.WriteFile(file, changed, 0o600))
			out, err := target(t, "openapi-lint", "CONTRACT="+file)
			require.Error(t, err, out)
			assert.Contains(t, out, rule)
		})
	}
}

// target makes a target of the Makefile and answers what it printed.
func target(t *testing.T, name string, variables ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "make", append([]string{"--silent", "--no-print-directory", name}, variables...)...)
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	return string(out), err
}
