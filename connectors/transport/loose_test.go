package transport

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type selfReferring struct {
	Next  *selfReferring
	Below []selfReferring
	N     json.Number
}

type ownDecoder struct{ Anything any }

func (*ownDecoder) UnmarshalJSON([]byte) error { return nil }

// A number in a field of any type must stay a json.Number: such types are found
// wherever the field is.
func TestTypesWithAnyAreFound(t *testing.T) {
	t.Parallel()
	for _, tight := range []any{new(int), new(selfReferring), new([]map[string]*selfReferring), new(ownDecoder), new(json.RawMessage), new(struct{ A [2]ownDecoder })} {
		assert.False(t, loose(reflect.TypeOf(tight)), "%T", tight)
	}
	for _, open := range []any{new(any), new([]any), new(map[string]any), new(struct{ A struct{ B []map[string]any } }), new(struct {
		selfReferring
		Late any
	})} {
		assert.True(t, loose(reflect.TypeOf(open)), "%T", open)
		assert.True(t, loose(reflect.TypeOf(open)), "%T, asked again", open)
	}
	assert.True(t, loose(nil))
	var into struct{ A any }
	require.NoError(t, decode(&Response{Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(`{"A":12345678901234567890}`)}, &into))
	assert.Equal(t, json.Number("12345678901234567890"), into.A)
}
