package events

import (
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// five is a stream of five changes that were let go of, the places before, between and behind
// them, and what they are about.
func five(t *testing.T) (s *still, ids []string, places []Place) {
	t.Helper()
	s = newStill(t)
	places = []Place{s.stands(t).head}
	for i := range 5 {
		ids = append(ids, s.put(t, "p"+strconv.Itoa(i)))
		s.read(t, true)
		places = append(places, s.stands(t).head)
	}
	return s, ids, places
}

// told reads from a place on to the head, so many at a time. It is false when somebody has to begin anew.
func (s *still) told(t *testing.T, after, head Place, most int) (tags []string, whole bool) {
	t.Helper()
	for {
		found, err := s.streamJournal.read(t.Context(), after, head, most)
		if err != nil {
			require.ErrorIs(t, err, ErrExpired)
			return nil, false
		}
		for _, told := range found.List {
			tags = append(tags, string(told.Tags[0]))
		}
		if after = found.At; !found.More {
			assert.True(t, after.same(head))
			return tags, true
		}
	}
}

// Whatever is taken out of the stream, and by whomever: who missed nothing by it is told all that follows,
// and who would have missed something begins anew.
func TestNobodyIsLedPastAChangeThatIsGone(t *testing.T) {
	t.Parallel()
	s, ids, places := five(t)
	list, err := s.client.XRange(t.Context(), streamKey, "-", "+").Result()
	require.NoError(t, err)
	for gone := range 1 << len(ids) { // which of them, bit by bit
		require.NoError(t, s.client.Del(t.Context(), streamKey).Err())
		for i, m := range list {
			if gone&(1<<i) == 0 {
				require.NoError(t, s.client.XAdd(t.Context(), &redis.XAddArgs{Stream: streamKey, ID: m.ID, Values: m.Values}).Err())
			}
		}
		for from := range ids {
			var want []string
			for i := range ids[from:] {
				want = append(want, "page:p"+strconv.Itoa(from+i))
			}
			for _, most := range []int{1, 2, 10} {
				tags, whole := s.told(t, places[from], places[len(ids)], most)
				assert.Equal(t, gone>>from == 0, whole, "without %05b, from %d on, %d at a time", gone, from, most)
				if whole {
					assert.Equal(t, want, tags)
				}
			}
		}
	}
}

// So it is with what Redis itself takes out.
func TestATrimmedStreamLeadsNobodyPastAGap(t *testing.T) {
	t.Parallel()
	for left := range 6 {
		t.Run(strconv.Itoa(left), func(t *testing.T) {
			t.Parallel()
			s, ids, places := five(t)
			require.NoError(t, s.client.XTrimMaxLen(t.Context(), streamKey, int64(left)).Err())
			for from := range ids {
				tags, whole := s.told(t, places[from], places[len(ids)], 10)
				assert.Equal(t, from >= len(ids)-left, whole, "from %d on", from)
				assert.Len(t, tags, map[bool]int{true: len(ids) - from}[whole])
			}
		})
	}
}

// Another process was faster. What it gave out holds as long as nothing behind it is gone.
func TestWhoIsFurtherOnElsewhereIsNotLedPastAGapEither(t *testing.T) {
	t.Parallel()
	s, ids, places := five(t)
	here := places[1]
	ask := func(after Place) error {
		found, err := s.streamJournal.read(t.Context(), after, here, 10)
		if err == nil {
			assert.Equal(t, Changes{At: after}, found)
		}
		return err
	}
	require.NoError(t, ask(places[3]))
	require.NoError(t, s.client.XDel(t.Context(), streamKey, ids[2]).Err())
	require.NoError(t, ask(places[3]), "the change before it is gone; those behind it are there")
	require.NoError(t, s.client.XDel(t.Context(), streamKey, ids[3]).Err())
	require.ErrorIs(t, ask(places[3]), ErrExpired)
	require.NoError(t, ask(places[4]))
	made := places[4]
	made.Seq += 1000 // whatever came within the same millisecond
	require.ErrorIs(t, ask(made), ErrExpired, "no process gave this one out")
}

// Entries of the release before, and of others who write to the stream, name none before them.
func TestChangesThatNameNoneBeforeThemFollowWhatIsThere(t *testing.T) {
	t.Parallel()
	s, ids, places := five(t)
	list, err := s.client.XRange(t.Context(), streamKey, "-", "+").Result()
	require.NoError(t, err)
	require.NoError(t, s.client.Del(t.Context(), streamKey).Err())
	for _, m := range list[1:] {
		delete(m.Values, fieldPrevious)
		require.NoError(t, s.client.XAdd(t.Context(), &redis.XAddArgs{Stream: streamKey, ID: m.ID, Values: m.Values}).Err())
	}
	for from, want := range map[int]bool{0: false, 1: false, 2: true, 4: true} {
		tags, whole := s.told(t, places[from], places[len(ids)], 1)
		assert.Equal(t, want, whole, from)
		if whole {
			assert.Len(t, tags, len(ids)-from)
		}
	}
	next := s.put(t, "p5")
	entries, err := s.server.Stream(streamKey)
	require.NoError(t, err)
	last := entries[len(entries)-1]
	assert.Equal(t, next, last.ID)
	assert.Equal(t, []string{fieldPrevious, ids[4]}, last.Values[8:])
}

// The head never goes back, or who was told of it would wait until something happens: not when the change it is
// behind is gone, and not while the next one is under way.
func TestTheHeadNeverGoesBack(t *testing.T) {
	t.Parallel()
	s := newStill(t)
	now := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	s.server.SetTime(now)
	s.put(t, "p1")
	s.read(t, true)
	now = now.Add(8 * 24 * time.Hour)
	s.server.SetTime(now)
	head := s.stands(t).head
	require.NoError(t, s.client.XTrimMaxLen(t.Context(), streamKey, 0).Err())
	assert.Equal(t, head, s.stands(t).head)
	s.open(t) // which looks at once
	require.NoError(t, s.Await(t.Context(), head))
	s.open(t) // which does not
	last := s.put(t, "p2")
	s.read(t, false)
	s.server.SetTime(now.Add(8 * 24 * time.Hour)) // nobody can apply it
	assert.True(t, head.same(s.stands(t).head))
	assert.Equal(t, seen(uint64(now.UnixMilli())), s.stands(t).head.Seen) //nolint:gosec // years after 1970
	require.NoError(t, s.client.XAck(t.Context(), streamKey, group, last).Err())
	assert.Equal(t, last, s.stands(t).head.id())
	tags, whole := s.told(t, head, s.stands(t).head, 10)
	assert.True(t, whole)
	assert.Equal(t, []string{"page:p2"}, tags)
}
