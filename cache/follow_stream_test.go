package cache

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/portico-bff/portico/schema/commerce"
)

// streamServer is a Redis that has nothing but a stream, which a test may change.
type streamServer struct {
	redis.UniversalClient
	list  []redis.XMessage
	slow  time.Duration // what reading takes
	loses bool          // what it is given
	adds  int
	waits error // what waiting for more ends with
}

func idOf(n int) string { return placeOf(n).String() }

// told has an entry at a place, with these fields.
func (s *streamServer) told(n int, fields map[string]any) {
	s.list = append(s.list, redis.XMessage{ID: idOf(n), Values: fields})
}

func (s *streamServer) last() redis.XMessage { return s.list[len(s.list)-1] }

func (s *streamServer) XRangeN(ctx context.Context, _, from, _ string, _ int64) *redis.XMessageSliceCmd {
	time.Sleep(s.slow)
	cmd, first := redis.NewXMessageSliceCmd(ctx), version{}
	if from != "-" {
		first, _ = parseVersion(from)
	}
	var found []redis.XMessage
	for _, m := range s.list {
		if v, _ := parseVersion(m.ID); !v.before(first) {
			found = append(found, m)
		}
	}
	cmd.SetVal(found)
	return cmd
}

func (s *streamServer) XAdd(ctx context.Context, a *redis.XAddArgs) *redis.StringCmd {
	cmd := redis.NewStringCmd(ctx)
	s.adds++
	if cmd.SetErr(ctx.Err()); ctx.Err() != nil {
		return cmd
	}
	if s.adds > 10 {
		cmd.SetErr(errors.New("there is no end to it"))
		return cmd
	}
	top := version{}
	if len(s.list) > 0 {
		top, _ = parseVersion(s.last().ID)
	}
	id, given := parseVersion(a.ID)
	if !given {
		id = top.next()
	}
	if !top.before(id) {
		cmd.SetErr(errors.New("ERR The ID specified in XADD is equal or smaller than the target stream top item"))
		return cmd
	}
	values, _ := a.Values.([]string)
	if !s.loses {
		s.list = append(s.list, redis.XMessage{ID: id.String(), Values: map[string]any{values[0]: values[1], values[2]: values[3]}})
	}
	cmd.SetVal(id.String())
	return cmd
}

func (*streamServer) Eval(ctx context.Context, _ string, _ []string, _ ...any) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(redis.Nil) // it has no clock
	return cmd
}

// newsOf follows server, when a test has it look.
func newsOf(t *testing.T, server *streamServer) *news {
	t.Helper()
	metrics, err := newInstruments(noop.NewMeterProvider())
	require.NoError(t, err)
	r := &remote{client: server, metrics: metrics, log: slog.New(slog.DiscardHandler)}
	return &news{
		table: newTagTable(), remote: r, reader: server, node: "own", size: newsPage,
		began: time.Now(), untold: map[commerce.Tag]struct{}{},
	}
}

var ofA = []commerce.Tag{"product:A", commerce.TagAll} // an answer

// What is heard is as of when the stream was asked, not of when it had answered: what
// was told meanwhile is not in it.
func TestC12_OthersAreHeardAsOfWhenTheyWereAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := &streamServer{slow: 300 * time.Millisecond}
		server.told(1, map[string]any{fieldNode: "other", fieldTags: ""})
		n := newsOf(t, server)
		time.Sleep(time.Minute)
		asked := time.Now()
		require.NoError(t, n.look(t.Context()))
		assert.True(t, n.current.Load())
		assert.Equal(t, asked, n.lastHeard())
		assert.Equal(t, server.slow, n.lag())
	})
}

// What another release tells in fields that this one does not know may be anything.
func TestC12_WhatIsToldInOtherWordsIsOfEverything(t *testing.T) {
	t.Parallel()
	server := &streamServer{}
	server.told(1, map[string]any{fieldNode: "other", fieldTags: ""})
	n := newsOf(t, server)
	require.NoError(t, n.catchUp(t.Context()))
	kept := (&entry{}).tagged(ofA, n.table.stamp())
	require.True(t, n.table.alive(kept))
	server.told(2, map[string]any{fieldNode: "other", "tags.v2": "product:B"})
	require.NoError(t, n.catchUp(t.Context()))
	assert.False(t, n.table.alive(kept))
}

// Who invalidates and leaves at once has it told all the same.
func TestC12_WhoLeavesHasItTold(t *testing.T) {
	t.Parallel()
	server := &streamServer{}
	n := newsOf(t, server)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	require.NoError(t, n.tell(ctx, []commerce.Tag{"product:A"}))
	require.Len(t, server.list, 1)
	assert.Equal(t, "product:A", server.last().Values[fieldTags])
	assert.False(t, pending(n.table))
}

// Redis took this process's invalidation and lost it before anybody had read it back, so
// that nothing else is missing: everybody drops everything, under a version above it.
func TestC14_WhatRedisTookAndLostIsMended(t *testing.T) {
	t.Parallel()
	server := &streamServer{}
	server.told(1, map[string]any{fieldNode: "other", fieldTags: ""})
	n := newsOf(t, server)
	require.NoError(t, n.catchUp(t.Context()))
	require.NoError(t, n.tell(t.Context(), []commerce.Tag{"product:A"}))
	lost, ok := parseVersion(server.last().ID)
	require.True(t, ok)
	server.list = server.list[:1]
	kept := (&entry{}).tagged(ofA, n.table.stamp())
	require.NoError(t, n.catchUp(t.Context()))
	assert.Equal(t, string(commerce.TagAll), server.last().Values[fieldTags])
	said, _ := parseVersion(server.last().ID)
	assert.True(t, lost.before(said), "%s, then %s", lost, said)
	assert.False(t, n.table.alive(kept))
	adds := server.adds
	require.NoError(t, n.catchUp(t.Context()))
	assert.Equal(t, adds, server.adds, "once")
}

// The stream was trimmed beyond where the process was, and nothing was lost: it drops
// what it has, and has nobody else drop anything.
func TestC14_WhatWasTrimmedIsNobodyElsesLoss(t *testing.T) {
	t.Parallel()
	server := &streamServer{}
	server.told(1, map[string]any{fieldNode: "other", fieldTags: ""})
	n := newsOf(t, server)
	require.NoError(t, n.catchUp(t.Context()))
	kept := (&entry{}).tagged(ofA, n.table.stamp())
	server.list = nil
	server.told(10, map[string]any{fieldNode: "other", fieldTags: "product:B"})
	server.told(11, map[string]any{fieldNode: "other", fieldTags: "product:C"})
	require.NoError(t, n.catchUp(t.Context()))
	assert.False(t, n.table.alive(kept))
	assert.Equal(t, placeOf(11), n.table.stamp().global)
	assert.Zero(t, server.adds)
}

// A Redis that keeps nothing of what it takes is not followed, and not filled for ever.
func TestC14_AStreamThatKeepsNothingIsNotFollowed(t *testing.T) {
	t.Parallel()
	server := &streamServer{loses: true}
	n := newsOf(t, server)
	require.ErrorContains(t, n.look(t.Context()), "does not hold what was added")
	assert.Equal(t, 1, server.adds)
	assert.False(t, n.current.Load())
}

// Too much is untold, so that Redis will be told of everything: until it was, nothing of
// it is taken over, whatever its tags.
func TestC14_UntilEverythingIsToldRedisHoldsNothing(t *testing.T) {
	t.Parallel()
	n := newsOf(t, &streamServer{})
	n.table.restart(placeOf(0))
	_, tags := manySKUs(maxUntold + 1)
	n.table.strike(tags, true)
	n.keep(tags)
	for _, tag := range []commerce.Tag{tags[0], tags[maxUntold], "product:other"} {
		assert.False(t, n.table.admits([]commerce.Tag{tag, commerce.TagAll}, placeOf(5), n.table.stamp().local), tag)
	}
	n.flush(t.Context())
	assert.False(t, pending(n.table))
}

// A process that begins anew, by versions that are behind, does not say that it knows of
// what it knew before: those who take over its answers may know of more.
func TestC13_WhoBeginsAnewKnowsOfNothingYet(t *testing.T) {
	t.Parallel()
	table, other := newTagTable(), newTagTable()
	table.restart(placeOf(0))
	table.apply(placeOf(9), nil, false)
	table.restart(placeOf(1))
	require.True(t, table.stamp().global.zero(), "what is loaded now is not for others")
	table.apply(placeOf(3), nil, false)
	require.Equal(t, placeOf(3), table.stamp().global)

	other.restart(placeOf(1))
	other.apply(placeOf(5), []commerce.Tag{"product:A"}, false)
	assert.False(t, other.admits(ofA, table.stamp().global, other.stamp().local))
}

func (s *streamServer) XRead(ctx context.Context, _ *redis.XReadArgs) *redis.XStreamSliceCmd {
	cmd := redis.NewXStreamSliceCmd(ctx)
	cmd.SetErr(s.waits)
	return cmd
}

// That nothing new came while it was waited for is no failure to wait.
func TestC12_NothingNewIsNoFailure(t *testing.T) {
	t.Parallel()
	server := &streamServer{waits: redis.Nil}
	n := newsOf(t, server)
	require.NoError(t, n.await(t.Context()))
	server.waits = errDown
	require.ErrorIs(t, n.await(t.Context()), errDown)
}
