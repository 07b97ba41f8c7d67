package sandboxtest_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/sandboxtest"
)

func TestTextIsEscapedAsItIs(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 1_000 {
		text := sandboxtest.Text(rnd, 12)
		require.True(t, utf8.ValidString(text))
		var got string
		require.NoError(t, json.Unmarshal([]byte(sandboxtest.Escaped(text)), &got))
		require.Equal(t, text, got)
	}
}
