package pimcore

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// What is sent is what encoding/json would send, byte for byte.
func FuzzBodies(f *testing.F) {
	all := documents(&pictures{thumbnails: []thumbnail{{name: "small", width: 80}}}, "o_", traits())
	require.Len(f, all, 7)
	f.Add("A-1", `A"}]},{"$or":[{"sku":"B`, 0, "")
	f.Add("", "\u00e9\u2028<&>\x00\xff", 1000, "zh_Hant")
	f.Fuzz(func(t *testing.T, one, other string, after int, language string) {
		language = strings.ToValidUTF8(language, "?") // else it is not sent as it came, nor the same twice
		keys := []commerce.SKU{commerce.SKU(one), commerce.SKU(other)}
		for op, doc := range all {
			v := wireVariables{Filter: anyOf("o_key", keys), First: len(keys), After: after, Language: language, Fallback: "en"}
			filter, err := json.Marshal(map[string]any{"$or": []map[string]string{{"o_key": one}, {"o_key": other}}})
			require.NoError(t, err)
			assert.Equal(t, string(filter), string(v.Filter))
			var sent struct {
				Query         string `json:"query"`
				OperationName string `json:"operationName"`
				Variables     struct {
					Filter   string `json:"filter,omitempty"`
					First    int    `json:"first"`
					After    int    `json:"after,omitempty"`
					Language string `json:"language,omitempty"`
					Fallback string `json:"fallback,omitempty"`
				} `json:"variables"`
			}
			require.NoError(t, json.Unmarshal(v.body(doc), &sent))
			assert.Equal(t, doc.name, sent.OperationName)
			assert.Contains(t, sent.Query, "query "+doc.name, op)
			again, err := json.Marshal(sent)
			require.NoError(t, err)
			assert.Equal(t, string(again), string(v.body(doc)), op)
		}
	})
}
