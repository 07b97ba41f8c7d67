package events

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// shared is a Redis and a client of it, set as the cache sets its own but for the patience that busy cores need.
func shared(t *testing.T) (*miniredis.Miniredis, redis.UniversalClient) {
	t.Helper()
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{
		Addr: server.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true,
		DialTimeout: 30 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second,
	})
	t.Cleanup(func() { _ = client.Close() })
	return server, client
}

// consume runs the rig's consumer until stop is called, which waits for it.
func (r *rig) consume(t *testing.T) (stop func()) {
	t.Helper()
	r.struck.told = make(chan struct{}, 100)
	r.stream(t).claimEvery = 0
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { r.source.Run(ctx, r.apply) })
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); work.Wait() }) }
	t.Cleanup(stop)
	return stop
}

func (r *rig) stream(t *testing.T) *stream {
	t.Helper()
	s, ok := r.source.(*stream)
	require.True(t, ok)
	return s
}

// told waits for a call of invalidate.
func (r *rig) told(t *testing.T) {
	t.Helper()
	select {
	case <-r.struck.told:
	case <-time.After(30 * time.Second):
		require.Fail(t, "nothing was applied")
	}
}

func TestEventsOneNodeOfTheGroupAppliesEach(t *testing.T) {
	t.Parallel()
	server, client := shared(t)
	a, b := newRig(t, client), newRig(t, client)
	b.stream(t).consumer += "-b"
	stopA, stopB := a.consume(t), b.consume(t)
	for i, sku := range []string{"A", "B", "C"} {
		sender := []*rig{a, b}[i%2]
		require.Equal(t, http.StatusAccepted, sender.send(signedRequest(event("e"+sku, sku))).Code)
	}
	again := b.send(signedRequest(event("eA", "A")))
	assert.JSONEq(t, `{"accepted":0,"duplicates":1}`, again.Body.String(), "another node knows the id, too")
	assert.Eventually(t, func() bool { return len(a.struck.all())+len(b.struck.all()) == 3 }, 30*time.Second, time.Millisecond)
	stopA()
	stopB()
	assert.ElementsMatch(t, []commerce.Tag{"reviews:A", "reviews:B", "reviews:C"}, append(a.struck.all(), b.struck.all()...))

	pending, err := client.XPending(t.Context(), streamKey, group).Result()
	require.NoError(t, err)
	assert.Zero(t, pending.Count, "all were let go of")
	consumers, err := client.XInfoConsumers(t.Context(), streamKey, group).Result()
	require.NoError(t, err)
	assert.Empty(t, consumers, "whoever stops leaves the group")
	entries, err := server.Stream(streamKey)
	require.NoError(t, err)
	assert.Len(t, entries, 3, "events are kept")
	assert.Equal(t, []string{"id", "eA", "source", "pim", "type", "pimcore.dataobject.postUpdate", "tags", "reviews:A"}, entries[0].Values[:8],
		"tags are kept, no payload: it may be about people")
}

func TestEventsAreKnownForAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	server, client := shared(t)
	rig := newRig(t, client)
	put := func() bool {
		fresh, err := rig.receiver.queue.Put(t.Context(), Change{ID: "e1", Source: "pim", Type: "t", Tags: []commerce.Tag{"all"}})
		require.NoError(t, err)
		return fresh
	}
	assert.True(t, put())
	assert.False(t, put())
	server.FastForward(memory - time.Second)
	assert.False(t, put())
	server.FastForward(2 * time.Second)
	assert.True(t, put())
}

func TestEventsAreKeptForSevenDaysOfRedisTime(t *testing.T) {
	t.Parallel()
	server, client := shared(t)
	rig := newRig(t, client)
	begin := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC) // no node's clock says so
	for day, want := range []int{1, 2, 3, 4, 5, 6, 7, 8, 8, 8} {
		server.SetTime(begin.Add(time.Duration(day) * 24 * time.Hour))
		_, err := rig.receiver.queue.Put(t.Context(), Change{ID: "e" + string(rune('a'+day)), Source: "pim", Type: "t"})
		require.NoError(t, err)
		entries, err := server.Stream(streamKey)
		require.NoError(t, err)
		assert.Len(t, entries, want, "day %d", day)
	}
}

func TestEventsOfAnImportDoNotFillRedis(t *testing.T) {
	t.Parallel()
	server, client := shared(t)
	rig := newRig(t, client)
	rig.stream(t).most = 5
	for i := range 50 {
		_, err := rig.receiver.queue.Put(t.Context(), Change{ID: strconv.Itoa(i), Source: "pim", Type: "t"})
		require.NoError(t, err)
	}
	entries, err := server.Stream(streamKey)
	require.NoError(t, err)
	require.Len(t, entries, 5)
	assert.Equal(t, "49", entries[4].Values[1])
}

func TestEventsOfADeadConsumerAreTakenOver(t *testing.T) {
	t.Parallel()
	server, client := shared(t)
	now := time.Now()
	server.SetTime(now)
	rig := newRig(t, client)
	_, err := rig.receiver.queue.Put(t.Context(), Change{ID: "e1", Source: "erp", Type: "t", Tags: []commerce.Tag{"stock:A"}})
	require.NoError(t, err)
	require.NoError(t, client.XGroupCreateMkStream(t.Context(), streamKey, group, streamStart).Err())
	read, err := client.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: group, Consumer: "dead", Streams: []string{streamKey, ">"}}).Result()
	require.NoError(t, err)
	require.Len(t, read[0].Messages, 1)

	s := rig.stream(t)
	require.NoError(t, s.adopt(t.Context(), rig.apply))
	assert.Empty(t, rig.struck.all(), "it may still be at work")
	server.SetTime(now.Add(idleAfter + time.Second))
	require.NoError(t, s.adopt(t.Context(), rig.apply))
	assert.Equal(t, []commerce.Tag{"stock:A"}, rig.struck.all())
	require.NoError(t, s.adopt(t.Context(), rig.apply))
	assert.Len(t, rig.struck.all(), 1)
}

func TestEventsThatNobodyCanReadAreGivenUp(t *testing.T) {
	t.Parallel()
	server, client := shared(t)
	now := time.Now()
	server.SetTime(now)
	rig := newRig(t, client)
	s := rig.stream(t)
	require.NoError(t, client.XGroupCreateMkStream(t.Context(), streamKey, group, streamStart).Err())
	for _, values := range [][]string{
		{"id", "e1", "source", "erp", "type", "t"},                     // a later version's
		{"id", "e2", "source", "gone", "type", "t", "tags", "t\x00ag"}, // of a system that is no more
	} {
		require.NoError(t, client.XAdd(t.Context(), &redis.XAddArgs{Stream: streamKey, Values: values}).Err())
	}
	claimed := now.Add(time.Hour)
	require.NoError(t, s.round(t.Context(), rig.apply, &claimed), "delivered once")
	for range deliveries - 1 {
		now = now.Add(idleAfter + time.Second)
		server.SetTime(now)
		require.NoError(t, s.adopt(t.Context(), rig.apply))
		assert.Empty(t, rig.struck.all())
	}
	now = now.Add(idleAfter + time.Second)
	server.SetTime(now)
	rig.struck.err = errors.New("not now")
	require.Error(t, s.adopt(t.Context(), rig.apply), "they stay until everything of their system is dropped")
	rig.struck.err = nil
	now = now.Add(idleAfter + time.Second)
	server.SetTime(now)
	require.NoError(t, s.adopt(t.Context(), rig.apply))
	assert.Equal(t, []commerce.Tag{"system:odoo", "all"}, rig.struck.all())
	assert.Contains(t, rig.log.String(), `"msg":"change event given up; all of its system is dropped"`)
	pending, err := client.XPending(t.Context(), streamKey, group).Result()
	require.NoError(t, err)
	assert.Zero(t, pending.Count)
}

func TestEventsThatCouldNotBeAppliedComeAgain(t *testing.T) {
	t.Parallel()
	server, client := shared(t)
	now := time.Now()
	server.SetTime(now)
	rig := newRig(t, client)
	rig.struck.err = &commerce.CallError{System: "redis", Kind: commerce.ErrUnavailable}
	_, err := rig.receiver.queue.Put(t.Context(), Change{ID: "e1", Source: "erp", Type: "t", Tags: []commerce.Tag{"stock:A"}})
	require.NoError(t, err)
	s := rig.stream(t)
	claimed := now.Add(time.Hour)
	require.NoError(t, s.round(t.Context(), rig.apply, &claimed), "the group is made")
	require.ErrorIs(t, s.round(t.Context(), rig.apply, &claimed), commerce.ErrUnavailable)
	rig.struck.err = nil
	server.SetTime(now.Add(idleAfter + time.Second))
	require.NoError(t, s.adopt(t.Context(), rig.apply))
	assert.Equal(t, []commerce.Tag{"stock:A"}, rig.struck.all())
}

func TestEventsTheGroupSurvivesTheLossOfAllData(t *testing.T) {
	t.Parallel()
	server, client := shared(t)
	rig := newRig(t, client)
	rig.consume(t)
	require.Equal(t, http.StatusAccepted, rig.send(signedRequest(event("e1", "A"))).Code)
	rig.told(t)
	server.FlushAll()
	require.Equal(t, http.StatusAccepted, rig.send(signedRequest(event("e2", "B"))).Code)
	rig.told(t)
	assert.Equal(t, []commerce.Tag{"reviews:A", "reviews:B"}, rig.struck.all())
}

func TestEventsWithoutRedisAreRefusedAndYetAppliedHere(t *testing.T) {
	t.Parallel()
	server, client := shared(t)
	rig := newRig(t, client)
	server.Close()
	answer := rig.send(signedRequest(event("e1", "A")))
	assert.Equal(t, http.StatusServiceUnavailable, answer.Code)
	assert.Equal(t, "1", answer.Header().Get("Retry-After"))
	assert.Equal(t, []commerce.Tag{"reviews:A"}, rig.struck.all(), "this node at least gives no old answer")
	assert.Contains(t, rig.log.String(), "change event cannot be taken now")
}

func TestEventsWaitForRedisToComeBack(t *testing.T) {
	t.Parallel()
	server, client := shared(t)
	server.SetError("LOADING Redis is loading the dataset in memory")
	rig := newRig(t, client)
	rig.consume(t)
	require.Eventually(t, func() bool { return rig.log.String() != "" }, 30*time.Second, time.Millisecond)
	server.SetError("")
	require.Equal(t, http.StatusAccepted, rig.send(signedRequest(event("e1", "A"))).Code)
	rig.told(t)
	assert.Equal(t, []commerce.Tag{"reviews:A"}, rig.struck.all())
	assert.Contains(t, rig.log.String(), "change events wait")
}

// The tags of many events are told in pieces, each tag once.
func TestEventsAreToldTogether(t *testing.T) {
	t.Parallel()
	var calls [][]commerce.Tag
	apply := applier(func(_ context.Context, tags ...commerce.Tag) error {
		calls = append(calls, tags)
		return nil
	})
	var changes []Change
	for i := range mostAtATime {
		tag := commerce.TagPage(commerce.PageID(rune('0' + i)))
		changes = append(changes, Change{Tags: []commerce.Tag{"all", tag}})
	}
	require.NoError(t, apply(t.Context(), changes))
	require.Len(t, calls, 2)
	assert.Len(t, calls[0], mostAtATime)
	assert.Len(t, calls[1], 1)
}

// A Redis that is silent is given up on before long: stopping waits for that.
func TestEventsDoNotWaitForASilentRedis(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	client := redis.NewClient(&redis.Options{
		Addr: listener.Addr().String(), MaxRetries: -1, ContextTimeoutEnabled: true, ReadTimeout: time.Minute, PoolTimeout: time.Minute,
	})
	defer func() { _ = client.Close() }()
	begun := time.Now()
	_, err = newRig(t, client).stream(t).read(t.Context())
	require.Error(t, err)
	assert.Less(t, time.Since(begun), 30*time.Second, "and not a minute")
}
