package elasticsearch

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func TestChangesOfTheIndexDropAllSearches(t *testing.T) {
	t.Parallel()
	tags, err := Changes(commerce.ChangeEvent{Type: "elasticsearch.index.updated", Data: []byte(`{"index":"products","ids":["A"]}`)})
	require.NoError(t, err)
	assert.Equal(t, []commerce.Tag{commerce.TagSearch}, tags)
	_, err = Changes(commerce.ChangeEvent{Type: "elasticsearch.watch", Data: []byte(`{}`)})
	require.ErrorIs(t, err, commerce.ErrInvalid)
	_, err = Changes(commerce.ChangeEvent{Type: "elasticsearch.index.updated", Data: []byte(`[]`)})
	require.ErrorIs(t, err, commerce.ErrInvalid)
}
