//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A Redis without memory takes no invalidation: the other process has to notice all the
// same, and both go on as before once there is memory.
func TestC15_AFullRedisStopsNoInvalidation(t *testing.T) {
	t.Parallel()
	const most = 5 * time.Second
	redis := newRedis(t)
	redis.start()
	admin := redis.client()
	t.Cleanup(func() { _ = admin.Close() })
	r, bin := newCatalogue(t), build(t, "./e2e/cachenode")
	one, other := newNode(t, bin, redis.url(), r), newNode(t, bin, redis.url(), r)
	shared(t, r, one, other)
	r.rename("a", "0")
	require.Equal(t, "0", one.name("a"))
	require.Equal(t, "0", other.name("a"))

	require.NoError(t, admin.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err())
	require.NoError(t, admin.ConfigSet(t.Context(), "maxmemory", "1").Err())
	for _, name := range []string{"1", "2"} { // with the stream, and without
		r.rename("a", name)
		one.invalidate("a")
		begun := time.Now()
		require.Equal(t, name, one.name("a"), "at once where it was said")
		for other.name("a") != name {
			require.Less(t, time.Since(begun), 2*most)
			time.Sleep(5 * time.Millisecond)
		}
		figure(t, "C15", "a full Redis: the other process gives what is new after %v", time.Since(begun).Round(time.Millisecond))
		assert.LessOrEqual(t, time.Since(begun), most+5*tolerance)
	}
	there, err := admin.Exists(t.Context(), "portico:tags").Result()
	require.NoError(t, err)
	assert.Zero(t, there)

	require.NoError(t, admin.ConfigSet(t.Context(), "maxmemory", "0").Err())
	shared(t, r, one, other)
	follows(t, "C15", r, one, other)
}
