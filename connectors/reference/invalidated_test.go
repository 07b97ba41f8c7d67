package reference_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/reference"
	"github.com/portico-bff/portico/schema/commerce"
)

// order is the plainest order of invalidations there is.
type order struct {
	mu    sync.Mutex
	now   uint64
	marks map[commerce.Tag]uint64
}

func (o *order) Now() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *order) Struck(since uint64, tags ...commerce.Tag) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, tag := range tags {
		if o.marks[tag] > since {
			return true
		}
	}
	return false
}

func (o *order) strike(tag commerce.Tag) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now++
	if o.marks == nil {
		o.marks = map[commerce.Tag]uint64{}
	}
	o.marks[tag] = o.now
}

func kept(o *order) reference.Config {
	return reference.Config{Name: "test", Invalidations: o, System: "odoo", Tags: []commerce.Tag{"op:pricing.prices"}, KeyTags: []string{"sku"}}
}

func TestTagsDropWhatIsKept(t *testing.T) {
	t.Parallel()
	for tag, loads := range map[commerce.Tag]int64{
		"sku:a1": 2, "op:pricing.prices": 2, "system:odoo": 2, "reference": 2, "all": 2,
		"sku:a2": 1, "stock:a1": 1, "system:pimcore": 1, "op:catalog.products": 1,
	} {
		o := &order{}
		cache, src := reference.New[string, string](kept(o)), &source{}
		ask := func() {
			_, err := cache.Get(t.Context(), "a1", src.one)
			require.NoError(t, err)
		}
		ask()
		o.strike(tag)
		ask()
		ask()
		assert.Equal(t, loads, src.calls.Load(), tag)
	}
}

func TestAbsenceIsInvalidatedToo(t *testing.T) {
	t.Parallel()
	o := &order{}
	cache, src := reference.New[string, string](kept(o)), &source{}
	for range 2 {
		_, err := cache.GetAll(t.Context(), []string{"no1"}, src.all)
		require.NoError(t, err)
		o.strike("sku:no1")
	}
	assert.EqualValues(t, 2, src.calls.Load())
}

// Who asks after an invalidation waits for a load that was begun after it; who asked
// before gets what they waited for, and that is not kept.
func TestC11_NobodyJoinsALoadThatWasBegunBeforeAnInvalidation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &order{}
		cache := reference.New[string, string](kept(o))
		var world string
		slow := func(pause time.Duration) func(context.Context, string) (string, error) {
			return func(context.Context, string) (string, error) {
				read := world
				time.Sleep(pause)
				return read, nil
			}
		}
		ask := func(pause time.Duration) string {
			value, err := cache.Get(t.Context(), "a1", slow(pause))
			assert.NoError(t, err)
			return value
		}
		var work sync.WaitGroup
		world = "old"
		work.Go(func() { assert.Equal(t, "old", ask(time.Minute/2)) })
		synctest.Wait()
		world = "new"
		o.strike("op:pricing.prices")
		assert.Equal(t, "new", ask(time.Second), "while the old load is under way")
		work.Wait()
		assert.Equal(t, "new", ask(0), "the late old load changes nothing")
	})
}

// However invalidations, loads and readers interleave: who asks after an invalidation
// is never given what was read before it.
func TestC11_NoScheduleGivesReferenceDataFromBeforeAnInvalidation(t *testing.T) {
	t.Parallel()
	const schedules, readers, changes = 200, 6, 8
	for seed := range uint64(schedules) {
		synctest.Test(t, func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 7))
			var mu sync.Mutex
			pause := func() {
				mu.Lock()
				d := time.Duration(dice.IntN(50)) * time.Millisecond
				mu.Unlock()
				time.Sleep(d)
			}
			o := &order{}
			cache := reference.New[string, int](kept(o))
			var now, told int // the world's version, and the last that was invalidated
			var work sync.WaitGroup
			work.Go(func() {
				for range changes {
					pause()
					mu.Lock()
					now++
					mu.Unlock()
					pause()
					mu.Lock()
					o.strike("sku:a")
					told = now
					mu.Unlock()
				}
			})
			for range readers {
				work.Go(func() {
					for range changes {
						pause()
						mu.Lock()
						least := told
						mu.Unlock()
						got, err := cache.Get(t.Context(), "a", func(context.Context, string) (int, error) {
							pause()
							mu.Lock()
							read := now
							mu.Unlock()
							pause()
							return read, nil
						})
						assert.NoError(t, err)
						assert.GreaterOrEqual(t, got, least, fmt.Sprint("schedule ", seed))
					}
				})
			}
			work.Wait()
		})
	}
}
