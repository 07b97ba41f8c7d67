package pimcore

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/quick"
)

// BenchmarkHundredNodes compares the two ways in which an answer is read.
func BenchmarkHundredNodes(b *testing.B) {
	const head, tail = `{"data":{"getProductListing":{"edges":[`, `]}}}`
	node := strings.TrimSuffix(strings.TrimPrefix(someProducts, head), tail)
	data := []byte(head + strings.Repeat(node+",", 99) + node + tail)
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var l wireAnswer[wireProduct]
			require.NoError(b, json.Unmarshal(data, &l))
		}
	})
	b.Run("quick", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.True(b, quick.Unmarshal(data, newProducts()))
		}
	})
}
