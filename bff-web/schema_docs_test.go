package bffweb

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var exampleBlock = regexp.MustCompile("(?s)```graphql\n(.*?)```")

// schemaExamples are the queries that docs/web.md shows of the schema.
func schemaExamples(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../docs/web.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## The schema\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	var list []string
	for _, block := range exampleBlock.FindAllStringSubmatch(section, -1) {
		list = append(list, block[1])
	}
	return list
}

// TestSchemaExamples runs what the documentation shows, over the imitated systems, as a
// customer. The answers are golden.
func TestSchemaExamples(t *testing.T) {
	t.Parallel()
	s, systems := sandboxed(t)
	customer := header{"Authorization", "Bearer " + systems.Token(t, "AW00011000")}
	variables := map[string]any{"cart": s.newCart(t, customer), "to": object(t, addressJSON), "number": string(systems.Fixture().Order)}
	examples := schemaExamples(t)
	require.GreaterOrEqual(t, len(examples), 12)
	for i, query := range examples {
		own := map[string]any{}
		for name, value := range variables {
			if strings.Contains(query, "$"+name+":") {
				own[name] = value
			}
		}
		a := s.ok(t, query, own, customer)
		assert.Empty(t, a.Extensions.Freshness, "%s", a.Raw)
		if strings.Contains(query, "search(") && !strings.Contains(query, "$after") {
			variables["after"] = at(t, a.Data, "search", "edges", 0, "cursor")
			second, ok := at(t, a.Data, "search", "edges", 1, "node", "sku").(string)
			require.True(t, ok)
			variables["second"] = second
		}
		if strings.Contains(query, "$after") {
			assert.Equal(t, variables["second"], at(t, a.Data, "search", "edges", 0, "node", "sku"), "it goes on right behind the first product")
		}
		var doc struct{ Data json.RawMessage }
		require.NoError(t, json.Unmarshal([]byte(a.Raw), &doc))
		golden(t, fmt.Sprintf("schema-%02d", i+1), strings.ReplaceAll(string(doc.Data), systems.URL, "http://sandbox.test"))
	}
}
