package reference_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/reference"
	"github.com/portico-bff/portico/schema/commerce"
)

// Whoever joins a load is given what they asked for and nothing else of it, in whatever order
// and how often they ask.
func TestN17_EachIsGivenWhatTheyAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache, src := reference.New[string, string](reference.Config{Name: "test"}), &source{}
		_, err := cache.GetAll(t.Context(), []string{"kept"}, src.all)
		require.NoError(t, err)
		var all sync.WaitGroup
		for _, keys := range [][]string{
			{"a1", "a2", "a3", "no1"}, // begins the load
			{"a1", "a2", "a3", "no1"},
			{"no1", "a3", "a2", "a1"},
			{"a1", "a1", "a2", "a3"},
			{"a1", "a2"},
			{"a1", "b1", "b2", "a1", "b1"}, // begins another
			{"b2", "a3", "b1", "kept"},
			{"no1"},
		} {
			all.Go(func() {
				got, err := cache.GetAll(t.Context(), keys, src.slowly)
				assert.NoError(t, err)
				want := map[string]string{}
				for _, key := range keys {
					if key != "no1" {
						want[key] = "value of " + key
					}
				}
				assert.Equal(t, want, got, keys)
			})
			time.Sleep(time.Millisecond)
		}
		all.Wait()
		assert.EqualValues(t, 3, src.calls.Load())
	})
}

// What a load answers beside what it was asked for, or for a key that it says has failed, is nobody's.
func TestN17_WhatNobodyAskedForIsLeftOut(t *testing.T) {
	t.Parallel()
	cache := reference.New[string, int](reference.Config{Name: "test"})
	load := func(context.Context, []string) (map[string]int, error) {
		return map[string]int{"a": 1, "b": 2, "stranger": 3}, &commerce.BatchError[string]{Errs: map[string]error{"b": errDown}}
	}
	got, err := cache.GetAll(t.Context(), []string{"a", "b"}, load)
	assert.Equal(t, map[string]int{"a": 1}, got)
	require.ErrorIs(t, commerce.KeyError(err, "b"), commerce.ErrUnavailable)
	got, err = cache.GetAll(t.Context(), []string{"stranger"}, func(context.Context, []string) (map[string]int, error) {
		return nil, nil //nolint:nilnil // nothing was found
	})
	require.NoError(t, err)
	assert.Equal(t, map[string]int{}, got)
}

// What was given to who asked is not changed by who asks later, also while they are given it.
func TestWhatWasGivenStaysAsItIs(t *testing.T) {
	t.Parallel()
	cache, src := reference.New[string, string](reference.Config{Name: "test"}), &source{}
	keys := make([]string, 50)
	for i := range keys {
		keys[i] = "key " + strconv.Itoa(i)
	}
	first, err := cache.LoadAll(t.Context(), keys, src.all)
	require.NoError(t, err)
	before := maps.Clone(first)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for range 50 {
				got, err := cache.GetAll(t.Context(), append(slices.Clone(keys), "own "+strconv.Itoa(n)), src.all)
				assert.NoError(t, err)
				assert.Len(t, got, len(keys)+1)
				got, err = cache.LoadAll(t.Context(), keys, src.all)
				assert.NoError(t, err)
				assert.Len(t, got, len(keys))
			}
		})
	}
	all.Wait()
	assert.Equal(t, before, first)
}

// BenchmarkHundredUnknown is what a load of a hundred keys costs that two callers share, as prices and
// stock of a list do.
func BenchmarkHundredUnknown(b *testing.B) {
	cache := reference.New[commerce.SKU, *int](reference.Config{Name: "test"})
	keys, values := make([]commerce.SKU, commerce.MaxBatch), map[commerce.SKU]*int{}
	for i := range keys {
		keys[i] = commerce.SKU("product " + strconv.Itoa(i))
		values[keys[i]] = new(int)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, key := range keys {
			cache.Forget(key)
		}
		ask := make(chan struct{})
		load := func(context.Context, []commerce.SKU) (map[commerce.SKU]*int, error) {
			<-ask
			return values, nil
		}
		asked := cache.AskAll(b.Context(), keys, load)
		time.AfterFunc(0, func() { close(ask) })
		_, err := cache.LoadAll(b.Context(), keys, load)
		require.NoError(b, err)
		found, err := asked.Values(b.Context())
		require.NoError(b, err)
		require.Len(b, found, len(keys))
	}
}

// Who asks for one key of a load under way is told of no other's failure.
func TestN17_OneKeyDoesNotFailWithItsNeighbor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cache, src := reference.New[string, string](reference.Config{Name: "test"}), &source{}
		asked := cache.AskAll(t.Context(), []string{"good", "gone", "bad"}, func(context.Context, []string) (map[string]string, error) {
			time.Sleep(time.Second)
			return map[string]string{"good": "value"}, &commerce.BatchError[string]{Errs: map[string]error{"bad": errDown}}
		})
		var all sync.WaitGroup
		all.Go(func() {
			got, err := cache.Get(t.Context(), "good", src.one)
			assert.NoError(t, err)
			assert.Equal(t, "value", got)
		})
		all.Go(func() {
			_, err := cache.Get(t.Context(), "gone", src.one)
			assert.ErrorIs(t, err, commerce.ErrNotFound)
		})
		all.Go(func() {
			_, err := cache.Get(t.Context(), "bad", src.one)
			assert.ErrorIs(t, err, commerce.ErrUnavailable)
		})
		all.Wait()
		got, err := asked.Values(t.Context())
		assert.Equal(t, map[string]string{"good": "value"}, got)
		require.ErrorIs(t, commerce.KeyError(err, "bad"), commerce.ErrUnavailable)
		assert.Zero(t, src.calls.Load(), "one load for all")
	})
}
