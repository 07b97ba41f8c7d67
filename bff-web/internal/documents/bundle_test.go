package documents

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestManifestsOfAFileSystem(t *testing.T) {
	t.Parallel()
	manifest := manifestOf(t, productText)
	all, err := BundledIn(fstest.MapFS{"shop/1.0.json": {Data: manifest}, "kiosk/2.json": {Data: manifest}})
	require.NoError(t, err)
	assert.Equal(t, []Bundled{{Client{"kiosk", "2"}, manifest}, {Client{"shop", "1.0"}, manifest}}, all)

	none, err := BundledIn(nil)
	require.NoError(t, err)
	assert.Empty(t, none)
	for _, name := range []string{"stray.json", "shop/notes.txt", "kiosk shop/1.json", "shop/.json", "shop/old/1.json"} {
		_, err := BundledIn(fstest.MapFS{name: {Data: manifest}})
		assert.ErrorContains(t, err, name)
	}
}
