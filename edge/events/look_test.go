package events

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// still is a stream that nothing moves by itself: no consumer runs and nobody follows it.
type still struct {
	*rig
	*streamJournal

	server *miniredis.Miniredis
	client redis.UniversalClient
}

func newStill(t *testing.T) *still {
	t.Helper()
	server, client := shared(t)
	require.NoError(t, client.XGroupCreateMkStream(t.Context(), streamKey, group, streamStart).Err())
	s := &still{rig: newRig(t, client), server: server, client: client}
	s.open(t)
	return s
}

// open opens another journal, as another process would.
func (s *still) open(t *testing.T) {
	t.Helper()
	s.streamJournal = newStreamJournal(s.client, func(time.Time) bool { return true }, nil)
	t.Cleanup(s.streamJournal.Close) //nolint:staticcheck // the service has a Close, too
}

// put sends an event about a page that nobody has read yet.
func (s *still) put(t *testing.T, page string) (id string) {
	t.Helper()
	(&diary{rig: s.rig}).put(t, page)
	list, err := s.server.Stream(streamKey)
	require.NoError(t, err)
	return list[len(list)-1].ID
}

// read hands what is new to a consumer, and has it let go of that.
func (s *still) read(t *testing.T, letGo bool) {
	t.Helper()
	found, err := s.stream(t).read(t.Context())
	require.NoError(t, err)
	for _, m := range found[0].Messages {
		if letGo {
			require.NoError(t, s.client.XAck(t.Context(), streamKey, group, m.ID).Err())
		}
	}
}

// stands is how the stream stands, as the journal's follower sees it.
func (s *still) stands(t *testing.T) look {
	t.Helper()
	l, err := s.look()
	require.NoError(t, err)
	s.known = l
	return l
}

// Who looks at the stream sees by itself that the last change it knew is gone.
func TestALookSeesThatTheLastChangeWasLost(t *testing.T) {
	t.Parallel()
	s := newStill(t)
	first, last := s.put(t, "p1"), s.put(t, "p2")
	s.read(t, true)
	before := s.stands(t)
	require.Equal(t, last, before.last)
	require.NoError(t, s.client.XDel(t.Context(), streamKey, first).Err())
	assert.Equal(t, before.name, s.stands(t).name, "what it knew last is there")
	require.NoError(t, s.client.XDel(t.Context(), streamKey, last).Err())
	after := s.stands(t)
	assert.NotEqual(t, before.name, after.name)
	assert.NotEqual(t, before.head.Epoch, after.head.Epoch)
	assert.Equal(t, after.name, s.stands(t).name, "once is enough")
}

// What goes for its age was not lost.
func TestALookKnowsWhatWentForItsAge(t *testing.T) {
	t.Parallel()
	s := newStill(t)
	now := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	s.server.SetTime(now)
	last := s.put(t, "p1")
	s.read(t, true)
	before := s.stands(t)
	s.server.SetTime(now.Add(kept + time.Minute))
	require.NoError(t, s.client.XDel(t.Context(), streamKey, last).Err())
	assert.Equal(t, before.name, s.stands(t).name)
}

// Where nobody takes events any more changes go by untold: a history that goes on later is another.
func TestAHistoryEndsWhereNobodyTakesEvents(t *testing.T) {
	t.Parallel()
	s := newStill(t)
	s.put(t, "p1")
	before := s.stands(t)
	require.NotEmpty(t, before.name)
	require.NoError(t, s.client.XGroupDestroy(t.Context(), streamKey, group).Err())
	assert.Empty(t, s.stands(t).name)
	assert.False(t, s.server.Exists(epochKey))
	require.NoError(t, s.client.XGroupCreate(t.Context(), streamKey, group, streamStart).Err())
	after := s.stands(t)
	assert.NotEmpty(t, after.name)
	assert.NotEqual(t, before.name, after.name)
}

// After more than seven quiet days the first event takes the last one away. Until it is let go of nothing
// is behind the head, and nobody has missed anything.
func TestNobodyBeginsAnewForTheFirstChangeAfterQuietDays(t *testing.T) {
	t.Parallel()
	for name, handed := range map[string]bool{"not handed over yet": false, "under way": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStill(t)
			now := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
			s.server.SetTime(now)
			s.put(t, "p1")
			s.read(t, true)
			s.server.SetTime(now.Add(8 * 24 * time.Hour))
			place := s.stands(t).head
			last := s.put(t, "p2")
			if handed {
				s.read(t, false)
			}
			s.open(t) // which looks at once
			found, err := s.Since(t.Context(), place, 10)
			require.NoError(t, err)
			assert.Equal(t, Changes{At: place}, found)
			require.NoError(t, s.Await(t.Context(), place), "nor does a walk wait for it")
			if !handed {
				s.read(t, false)
			}
			require.NoError(t, s.client.XAck(t.Context(), streamKey, group, last).Err())
			s.open(t)
			found, err = s.Since(t.Context(), place, 10)
			require.NoError(t, err)
			require.Len(t, found.List, 1)
			assert.Equal(t, last, found.At.id())
		})
	}
}

// An answer that is lost on the way from Redis holds nobody up: who was handed the events asks for them again.
func TestWhatWasLostOnTheWayFromRedisIsAskedForAgain(t *testing.T) {
	t.Parallel()
	s := newStill(t)
	s.put(t, "p1")
	s.read(t, false) // as if by a process of the same name that ended
	consumer := s.stream(t)
	var claimed time.Time
	round := func() error { return consumer.round(t.Context(), s.apply, &claimed) }
	require.NoError(t, round())
	assert.Equal(t, []commerce.Tag{"page:p1"}, s.struck.all())
	s.server.SetError("LOADING it is away")
	claimed = time.Now()
	require.Error(t, round())
	s.server.SetError("")
	last := s.put(t, "p2")
	s.read(t, false)
	require.NoError(t, round())
	assert.Equal(t, []commerce.Tag{"page:p1", "page:p2"}, s.struck.all())
	assert.Equal(t, last, s.stands(t).head.id())
}
