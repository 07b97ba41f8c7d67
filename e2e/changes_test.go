//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/world"
	"github.com/portico-bff/portico/demo/stack"
	"github.com/portico-bff/portico/edge/events"
)

const changedSKU = "BK-R93R-44"

// renamed changes the product's name and answers how long it took until both channels showed it.
func renamed(t *testing.T, s *stack.Stack, name string) time.Duration {
	t.Helper()
	require.True(t, s.Server().World.Change(changedSKU, world.Change{Name: name}))
	begun := time.Now()
	require.Eventually(t, func() bool {
		web := graphQL(t, s, `query($sku: String!) { product(sku: $sku) { name } }`, map[string]any{"sku": changedSKU})
		mobile := send(t, "GET", s.Mobile+"/v1/screens/products/"+changedSKU, nil)
		return web.text("data", "product", "name") == name && mobile.text("name") == name
	}, time.Minute, 10*time.Millisecond)
	return time.Since(begun)
}

// Change events on a real Redis: applied at once, taken over from the dead, given up when nobody can read them, and not
// lost to a crash of Redis.
func TestEventsOnARealRedis(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	server.start()
	client := server.client()
	defer func() { _ = client.Close() }()
	const stream, group = "portico:events", "portico"
	pending := func() int64 {
		waiting, err := client.XPending(t.Context(), stream, group).Result()
		require.NoError(t, err)
		return waiting.Count
	}

	require.NoError(t, client.XGroupCreateMkStream(t.Context(), stream, group, "0").Err())
	for _, values := range [][]string{
		{"id", "left", "source", "erp", "type", "t", "tags", "stock:A price:A"},
		{"id", "poison", "source", "erp"},
	} {
		id, err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: stream, Values: values}).Result()
		require.NoError(t, err)
		require.NoError(t, client.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: group, Consumer: "dead", Streams: []string{stream, ">"}}).Err())
		// As if the dead had read it four times, the last time a minute ago.
		require.NoError(t, client.Do(t.Context(), "XCLAIM", stream, group, "dead", 0, id, "IDLE", 60_000, "RETRYCOUNT", 4).Err())
	}
	require.EqualValues(t, 2, pending())

	s := start(t, "REDIS_URL="+server.url())
	require.Eventually(t, func() bool { return pending() == 0 }, time.Minute, 10*time.Millisecond, "both were let go of")
	var took []time.Duration
	for _, name := range []string{"First name", "Second name", "Third name"} {
		took = append(took, renamed(t, s, name))
	}
	t.Logf("names were seen in both channels after %v", took)
	assert.Less(t, slices.Min(took), time.Second, "a busy machine makes some of them late")
	// Three times two systems told both channels: those that know names.
	require.Eventually(t, func() bool { return client.XLen(t.Context(), stream).Val() == 2+3*2 }, time.Minute, 10*time.Millisecond)
	require.Eventually(t, func() bool { return pending() == 0 }, time.Minute, 10*time.Millisecond)

	server.stop()
	t.Logf("with Redis down it was seen after %v", renamed(t, s, "A name while Redis is down"))
	server.start()
	require.Eventually(t, func() bool { return client.Exists(t.Context(), stream).Val() == 1 }, time.Minute, 10*time.Millisecond, "the group is made anew")
	t.Logf("with Redis back it was seen after %v", renamed(t, s, "A name with Redis back"))
}

// A real Redis whose last change went for its age keeps where the journal's head is: who walks the catalogue meanwhile
// goes on, and is told what comes next.
func TestTheJournalOnARealRedisGoesOnBehindAChangeThatIsGone(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	server.start()
	client := server.client()
	defer func() { _ = client.Close() }()
	applied := func(id string, values ...string) string {
		id, err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: eventsStream, ID: id, Values: append(values, "id", "e", "source", "pim", "tags", "page:home")}).Result()
		require.NoError(t, err)
		require.NoError(t, client.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: eventsGroup, Consumer: "c", Streams: []string{eventsStream, ">"}}).Err())
		require.NoError(t, client.XAck(t.Context(), eventsStream, eventsGroup, id).Err())
		return id
	}
	require.NoError(t, client.XGroupCreateMkStream(t.Context(), eventsStream, eventsGroup, "0").Err())
	gone := applied(fmt.Sprint(time.Now().Add(-8*24*time.Hour).UnixMilli(), "-0"))
	journal := events.NewJournal(client, nil, nil, nil)
	defer journal.Close()
	place, err := journal.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, gone, fmt.Sprint(place.Ms, "-", place.Seq))
	require.NoError(t, client.XTrimMaxLen(t.Context(), eventsStream, 0).Err())
	again := events.NewJournal(client, nil, nil, nil) // which looks at once
	defer again.Close()
	require.NoError(t, again.Await(t.Context(), place))
	next := applied("*", "previous", gone)
	require.Eventually(t, func() bool {
		found, err := again.Since(t.Context(), place, 10)
		require.NoError(t, err)
		return len(found.List) == 1 && fmt.Sprint(found.At.Ms, "-", found.At.Seq) == next
	}, time.Minute, 50*time.Millisecond)
}
