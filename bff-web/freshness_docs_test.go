package bffweb

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The table of docs/web.md is what the schema declares.
func TestTheDocsListWhatTheSchemaDeclares(t *testing.T) {
	t.Parallel()
	var rows []string
	for name, def := range sdl(t).Types {
		for _, field := range def.Fields {
			d := field.Directives.ForName("freshness")
			if d == nil {
				continue
			}
			cell := map[string]string{"onError": "–", "staleUpTo": "–", "default": "–"}
			for _, arg := range d.Arguments {
				cell[arg.Name] = "`" + strings.Trim(arg.Value.String(), `"`) + "`"
			}
			rows = append(rows, fmt.Sprintf("| `%s.%s` | %s | %s | %s |", name, field.Name, cell["onError"], cell["staleUpTo"], cell["default"]))
		}
	}
	slices.Sort(rows)
	const head = "### What the schema declares\n\n| field | onError | staleUpTo | default |\n| --- | --- | --- | --- |\n"
	docs, err := os.ReadFile("../docs/web.md")
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(docs), head)
	require.True(t, found)
	table, after, _ := strings.Cut(rest, "\n\n")
	if want := strings.Join(rows, "\n"); *update && strings.TrimSpace(table) != want {
		if after != "" {
			want += "\n"
		}
		table = want
		require.NoError(t, os.WriteFile("../docs/web.md", []byte(before+head+want+"\n"+after), 0o600))
	}
	assert.Equal(t, strings.Join(rows, "\n"), strings.TrimSpace(table))
}
