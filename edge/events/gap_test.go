package events

import (
	"errors"
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

// An event that was seen is lost when one that was added later names an earlier one before it.
func TestALossIsSeenByWhatComesNext(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		seen [][2]string // ids, and those before
		lost bool
	}{
		"one by one":                         {[][2]string{{"5-0", "4-0"}, {"6-0", "5-0"}}, false},
		"with others' in between":            {[][2]string{{"5-0", "4-0"}, {"9-0", "8-0"}}, false},
		"two answers that crossed":           {[][2]string{{"6-0", "5-0"}, {"5-0", "4-0"}}, false},
		"a duplicate, which has none":        {[][2]string{{"5-0", "4-0"}, {"", ""}}, false},
		"of an earlier release":              {[][2]string{{"5-0", "4-0"}, {"6-0", ""}}, false},
		"what no entry is named like":        {[][2]string{{"5-0", "4-0"}, {"6-0", "x"}}, false},
		"a replica that lacks the last":      {[][2]string{{"5-0", "4-0"}, {"6-0", "4-0"}}, true},
		"one that lacks more":                {[][2]string{{"5-0", "4-0"}, {"5-1", "5-0"}, {"6-0", "3-0"}}, true},
		"a new stream":                       {[][2]string{{"5-0", "4-0"}, {"6-0", "0-0"}}, true},
		"whatever comes behind it meanwhile": {[][2]string{{"5-0", "4-0"}, {"6-0", "4-0"}, {"7-0", "6-0"}}, true},
	} {
		l, lost := &lineage{}, false
		for _, id := range of.seen {
			lost = l.saw(id[0], id[1])
		}
		assert.Equal(t, of.lost, lost, name)
	}
}

// Who takes events has the history begin anew in the round after it saw that one is lost, and once for each
// loss; not while Redis is away.
func TestAHistoryEndsWithALoss(t *testing.T) {
	t.Parallel()
	s := newStill(t)
	t.Run("that who put it sees", func(t *testing.T) { loses(t, s, s.stream(t)) })
	s = newStill(t)
	t.Run("that who reads it sees", func(t *testing.T) { loses(t, s, newRig(t, s.client).stream(t)) })
}

func loses(t *testing.T, s *still, consumer *stream) {
	t.Helper()
	claimed := time.Now()
	round := func() error { return consumer.round(t.Context(), s.apply, &claimed) }
	first := s.put(t, "p0")
	list, err := s.client.XRange(t.Context(), streamKey, first, first).Result()
	require.NoError(t, err)
	s.put(t, "p1")
	require.NoError(t, round())
	before := s.stands(t).name
	require.NoError(t, s.client.Del(t.Context(), streamKey).Err())
	require.NoError(t, s.client.XAdd(t.Context(), &redis.XAddArgs{Stream: streamKey, ID: first, Values: list[0].Values}).Err())
	require.NoError(t, s.client.XGroupCreate(t.Context(), streamKey, group, first).Err())
	s.server.SetTime(time.Now().Add(time.Second)) // or the next has the id of the one that is lost
	s.put(t, "p2")
	require.NoError(t, round())
	require.Zero(t, claimed, "and the next one tells")
	s.server.SetError("LOADING it is away")
	require.Error(t, consumer.lineage.check(t.Context(), s.client))
	s.server.SetError("")
	next := func(page string) string {
		s.put(t, page)
		require.NoError(t, round())
		name, err := s.server.Get(epochKey)
		require.NoError(t, err)
		return name
	}
	after := next("p3")
	assert.NotEqual(t, before, after)
	assert.Equal(t, after, next("p4"), "once is enough")
}

// Where the group has to be made events went by untold, or the stream is another one.
func TestAHistoryEndsWithTheGroup(t *testing.T) {
	t.Parallel()
	s := newStill(t)
	s.put(t, "p1")
	before := s.stands(t).name
	consumer := s.stream(t)
	require.NoError(t, consumer.grouped(t.Context(), errNoGroup))
	assert.Equal(t, before, s.stands(t).name, "another node has made it")
	require.NoError(t, s.client.XGroupDestroy(t.Context(), streamKey, group).Err())
	require.NoError(t, consumer.grouped(t.Context(), errNoGroup))
	assert.NotEqual(t, before, s.stands(t).name)
}

var errNoGroup = errors.New("NOGROUP No such key 'portico:events' or consumer group 'portico'")
