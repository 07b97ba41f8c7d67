package reference_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/reference"
	"github.com/portico-bff/portico/schema/commerce"
)

// A load has the time of the most patient who asked for it, be it later than others, and the
// next load has nothing of that.
func TestALoadIsAsPatientAsWhoAsksForIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache := reference.New[string, int](reference.Config{Name: "test"})
		var seen []bool
		load := func(ctx context.Context, keys []string) (map[string]int, error) {
			seen = append(seen, commerce.Patient(ctx))
			time.Sleep(2 * time.Second)
			seen = append(seen, commerce.Patient(ctx))
			return map[string]int{keys[0]: 1}, nil
		}
		one := func(ctx context.Context, key string) (int, error) {
			values, err := load(ctx, []string{key})
			return values[key], err
		}
		patient := commerce.WithPatience(t.Context())
		var others sync.WaitGroup
		for key, ask := range map[string]func(context.Context) error{
			"all":  func(ctx context.Context) error { _, err := cache.GetAll(ctx, []string{"all"}, load); return err },
			"one":  func(ctx context.Context) error { _, err := cache.Get(ctx, "one", one); return err },
			"anew": func(ctx context.Context) error { _, err := cache.LoadAll(ctx, []string{"anew"}, load); return err },
		} {
			for _, c := range []struct {
				first, second context.Context
				want          []bool
			}{
				{t.Context(), t.Context(), []bool{false, false}},
				{t.Context(), patient, []bool{false, true}},
				{patient, t.Context(), []bool{true, true}},
			} {
				seen = nil
				others.Go(func() { assert.NoError(t, ask(c.first)) })
				time.Sleep(time.Second)
				require.NoError(t, ask(c.second))
				others.Wait()
				assert.Equal(t, c.want, seen, key)
				cache.Forget(key)
			}
		}
	})
}
