package compiled

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A resolver is called with its parents and argument, and answers as by reflection; one of
// another signature is refused when the executor is made.
func TestDirectCallsAreThoseOfTheSignature(t *testing.T) {
	t.Parallel()
	failed := errors.New("some failed")
	double := func(_ context.Context, list []*int) ([]string, error) { return make([]string, 2*len(list)), failed }
	repeat := func(_ context.Context, list []*int, n int) ([]string, error) { return make([]string, n*len(list)), nil }
	parents := reflect.ValueOf([]*int{nil, nil})

	values, err := DirectBatch[*int, string]().bind(double)(t.Context(), parents, nil)
	require.ErrorIs(t, err, failed)
	assert.Equal(t, make([]string, 4), values.Interface())
	values, err = DirectBatchArg[*int, int, string]().bind(repeat)(t.Context(), parents, []reflect.Value{reflect.ValueOf(3)})
	require.NoError(t, err)
	assert.Equal(t, make([]string, 6), values.Interface())

	assert.Nil(t, DirectBatch[*int, string]().bind(repeat))
	assert.Nil(t, DirectBatchArg[*int, string, string]().bind(repeat))
	r := &resolver{method: reflect.ValueOf(repeat), hint: Hint{Direct: DirectBatch[*int, string]()}}
	require.ErrorContains(t, r.read(reflect.TypeOf(repeat), false, 1), "another signature")
}
