package events

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// diary is a service whose consumer runs, and the journal of what it took.
type diary struct {
	*rig
	Journal

	deaf   atomic.Bool // this process hears nothing of what others invalidated
	server *miniredis.Miniredis
	client redis.UniversalClient
}

func withRedis(t *testing.T) *diary {
	t.Helper()
	server, client := shared(t)
	d := &diary{rig: newRig(t, client), server: server, client: client}
	d.consume(t)
	d.await(t, func() bool { return server.Exists(streamKey) })
	d.open(t)
	return d
}

// open opens another journal, as another process would.
func (d *diary) open(t *testing.T) {
	t.Helper()
	d.Journal = NewJournal(d.client, d.Service, func(time.Time) bool { return !d.deaf.Load() }, nil)
	t.Cleanup(d.Journal.Close) //nolint:staticcheck // the service has a Close, too
}

func withoutRedis(t *testing.T) *diary {
	t.Helper()
	d := &diary{rig: newRig(t, nil)}
	d.Journal = NewJournal(nil, d.Service, nil, nil)
	return d
}

func (d *diary) await(t *testing.T, what func() bool) {
	t.Helper()
	require.Eventually(t, what, 20*time.Second, time.Millisecond)
}

// tell sends an event about a page and waits until the head is behind it.
func (d *diary) tell(t *testing.T, page string) Place {
	t.Helper()
	before := d.head(t)
	d.put(t, page)
	d.await(t, func() bool { return before.Before(d.head(t)) })
	return d.head(t)
}

// put sends an event about a page.
func (d *diary) put(t *testing.T, page string) {
	t.Helper()
	body := fmt.Sprintf(`{"specversion":"1.0","id":"e-%s","source":"pim","type":"pimcore.dataobject.postUpdate","data":{"className":"ContentPage","key":%q}}`, page, page)
	require.Equal(t, http.StatusAccepted, d.send(signedRequest(body)).Code)
}

func (d *diary) head(t *testing.T) Place {
	t.Helper()
	head, err := d.Head(t.Context())
	require.NoError(t, err)
	return head
}

// pages are the changes behind a place by what they are about, read so many at a time.
func (d *diary) pages(t *testing.T, after Place, most int) []string {
	t.Helper()
	var list []string
	for {
		found, err := d.Since(t.Context(), after, most)
		require.NoError(t, err)
		require.LessOrEqual(t, len(found.List), most)
		for _, told := range found.List {
			require.True(t, after.Before(told.At))
			after = told.At
			for _, tag := range told.Tags {
				list = append(list, string(tag))
			}
		}
		if !found.More {
			assert.True(t, found.At.same(d.head(t)))
			return list
		}
		assert.Equal(t, after, found.At)
	}
}

// Both journals tell the same, in order, however much is asked for at a time.
func TestTheJournalTellsWhatChangedSince(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) *diary{"Redis": withRedis, "this process": withoutRedis} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			assert.True(t, d.Tells())
			start := d.head(t)
			require.NotZero(t, start.Epoch)
			var want []string
			var middle Place
			for i := range 7 {
				at := d.tell(t, "p"+strconv.Itoa(i))
				want = append(want, "page:p"+strconv.Itoa(i))
				if i == 3 {
					middle = at
				}
			}
			for _, most := range []int{1, 2, 3, 100} {
				assert.Equal(t, want, d.pages(t, start, most))
				assert.Equal(t, want[4:], d.pages(t, middle, most))
			}
			assert.Empty(t, d.pages(t, d.head(t), 1))
			require.NoError(t, d.Await(t.Context(), middle))
			for name, bad := range map[string]Place{
				"another history":      {Epoch: start.Epoch + 2, Ms: middle.Ms, Seq: middle.Seq, Seen: middle.Seen},
				"none":                 {},
				"beyond what there is": {Epoch: start.Epoch, Ms: middle.Ms + 1e9, Seen: middle.Seen},
				"seen long ago":        {Epoch: start.Epoch, Ms: middle.Ms, Seq: middle.Seq, Seen: middle.Seen - 8*24*3600*1000},
				"seen by nobody yet":   {Epoch: start.Epoch, Ms: middle.Ms, Seq: middle.Seq, Seen: middle.Seen + 8*24*3600*1000},
				"seen never":           {Epoch: start.Epoch, Ms: middle.Ms, Seq: middle.Seq, Seen: 1 << 63},
			} {
				_, err := d.Since(t.Context(), bad, 10)
				require.ErrorIs(t, err, ErrExpired, name)
			}
		})
	}
}

func TestNobodyTellsWithoutEvents(t *testing.T) {
	t.Parallel()
	none := NewJournal(nil, nil, nil, nil)
	defer none.Close()
	server, client := shared(t)
	idle := NewJournal(client, nil, nil, nil) // a Redis whose stream nobody reads
	defer idle.Close()
	for _, j := range []Journal{none, idle} {
		head, err := j.Head(t.Context())
		require.NoError(t, err)
		assert.Equal(t, Place{}, head)
		assert.False(t, j.Tells())
		require.NoError(t, j.Await(t.Context(), head), "who began goes on")
		require.ErrorIs(t, j.Await(t.Context(), Place{Epoch: 1}), ErrExpired)
		_, err = j.Since(t.Context(), head, 1)
		require.ErrorIs(t, err, ErrExpired)
	}
	assert.Empty(t, server.Keys())
}

// A cursor must not pass a change that this process may still answer from before.
func TestTheHeadWaitsUntilThisProcessHasHeard(t *testing.T) {
	t.Parallel()
	d := withRedis(t)
	start := d.tell(t, "p1")
	d.deaf.Store(true)
	d.put(t, "p2")
	d.told(t)
	d.told(t)
	other := NewJournal(d.client, nil, nil, nil)
	defer other.Close()
	var there Place
	d.await(t, func() bool {
		var err error
		there, err = other.Head(t.Context())
		require.NoError(t, err)
		return start.Before(there)
	})
	assert.True(t, d.head(t).same(start), "others have heard, this process has not")
	found, err := d.Since(t.Context(), there, 10)
	require.NoError(t, err, "who was told by another process is not refused")
	assert.Equal(t, Changes{At: there}, found)
	require.ErrorIs(t, d.Await(t.Context(), there), commerce.ErrUnavailable)
	assert.Empty(t, d.pages(t, start, 10))
	d.deaf.Store(false)
	require.NoError(t, d.Await(t.Context(), there))
	assert.Equal(t, []string{"page:p2"}, d.pages(t, start, 10))
}

// What a consumer holds was not told to all yet.
func TestTheHeadStaysBeforeWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	server, client := shared(t)
	d := &diary{rig: newRig(t, client), server: server, client: client}
	require.NoError(t, client.XGroupCreateMkStream(t.Context(), streamKey, group, streamStart).Err())
	s := d.stream(t)
	read := func() []redis.XStream {
		found, err := s.read(t.Context())
		require.NoError(t, err)
		return found
	}
	d.open(t)
	d.put(t, "p1")
	d.put(t, "p2")
	d.put(t, "p3")
	start := d.head(t)
	assert.True(t, start.same(Place{}), "nobody has read them")
	first := read()[0].Messages
	require.Len(t, first, 3)
	besides := newStreamJournal(client, func(time.Time) bool { return true }, nil) // what d's has seen is its follower's alone
	standing := func() Place {
		l, err := besides.look()
		require.NoError(t, err)
		return l.head
	}
	assert.True(t, standing().same(Place{}), "none was let go of")
	require.NoError(t, client.XAck(t.Context(), streamKey, group, first[0].ID, first[2].ID).Err())
	assert.Equal(t, first[0].ID, standing().id(), "the second is held")
	require.NoError(t, client.XAck(t.Context(), streamKey, group, first[1].ID).Err())
	assert.Equal(t, first[2].ID, standing().id())
}

// Whoever saw the head at a time is let in for seven days from then, however long ago
// the last change was, and not for longer.
func TestPlacesLastForSevenDaysFromWhenTheyWereTheHead(t *testing.T) {
	t.Parallel()
	d := withRedis(t)
	now := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	d.server.SetTime(now)
	d.tell(t, "p1")
	day := func(n int) Place {
		d.server.SetTime(now.Add(time.Duration(n) * 24 * time.Hour))
		d.open(t)
		return d.head(t)
	}
	first := day(0)
	quiet := day(5)
	assert.True(t, quiet.same(first))
	assert.Less(t, first.Seen, quiet.Seen)
	day(6)
	assert.Empty(t, d.pages(t, first, 1))
	day(11)
	d.tell(t, "p2") // which takes p1 away
	entries, err := d.server.Stream(streamKey)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	_, err = d.Since(t.Context(), first, 1)
	require.ErrorIs(t, err, ErrExpired)
	assert.Equal(t, []string{"page:p2"}, d.pages(t, quiet, 1), "nothing happened meanwhile")
	day(13)
	_, err = d.Since(t.Context(), quiet, 1)
	require.ErrorIs(t, err, ErrExpired)
}

// An event that was under way for long may be forgotten sooner than seven days after
// somebody saw the place before it.
func TestAPlaceIsAsOldAsTheChangeThatFollowsIt(t *testing.T) {
	t.Parallel()
	d := withRedis(t)
	now := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	d.server.SetTime(now)
	d.tell(t, "p1")
	d.struck.mu.Lock()
	d.struck.err = commerce.ErrUnavailable
	d.struck.mu.Unlock()
	d.put(t, "p2")
	d.server.SetTime(now.Add(24 * time.Hour))
	d.open(t)
	assert.LessOrEqual(t, d.head(t).Seen, uint64(now.UnixMilli()), "not the day after")
}

// History begins anew when changes were lost: at a replica that lacks the last ones, for
// one. Then nobody goes on from a place that was before.
func TestAHistoryThatLostChangesIsAnother(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*testing.T, *diary){
		"the last change": func(t *testing.T, d *diary) {
			t.Helper()
			entries, err := d.server.Stream(streamKey)
			require.NoError(t, err)
			require.NoError(t, d.client.XDel(t.Context(), streamKey, entries[len(entries)-1].ID).Err())
		},
		"the stream": func(t *testing.T, d *diary) {
			t.Helper()
			require.True(t, d.server.Del(streamKey))
		},
		"its name":   func(t *testing.T, d *diary) { t.Helper(); require.True(t, d.server.Del(epochKey)) },
		"everything": func(t *testing.T, d *diary) { t.Helper(); d.server.FlushAll() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := withRedis(t)
			before := d.tell(t, "p1")
			d.tell(t, "p2")
			lose(t, d)
			d.await(t, func() bool {
				now, err := d.Head(t.Context())
				return err == nil && now.Epoch != 0 && now.Epoch != before.Epoch
			})
			_, err := d.Since(t.Context(), before, 10)
			require.ErrorIs(t, err, ErrExpired)
			require.ErrorIs(t, d.Await(t.Context(), before), ErrExpired)
			again := d.head(t)
			d.tell(t, "p3")
			assert.Equal(t, []string{"page:p3"}, d.pages(t, again, 10))
		})
	}
}

// A process that was stopped while the others began anew believes them.
func TestAHistoryBeginsAnewOnce(t *testing.T) {
	t.Parallel()
	d := withRedis(t)
	d.tell(t, "p1")
	slow := newStreamJournal(d.client, func(time.Time) bool { return true }, nil)
	var err error
	slow.known, err = slow.look()
	require.NoError(t, err)
	entries, err := d.server.Stream(streamKey)
	require.NoError(t, err)
	require.NoError(t, d.client.XDel(t.Context(), streamKey, entries[0].ID).Err())
	before := slow.known.name
	var now string
	d.await(t, func() bool {
		now, err = d.server.Get(epochKey)
		return err == nil && now != before
	})
	seen, err := slow.look()
	require.NoError(t, err)
	assert.Equal(t, now, seen.name)
}

// Who takes events knows what was in the stream, also while nobody reads the journal.
func TestWhoTakesEventsSeesThatSomeWereLost(t *testing.T) {
	t.Parallel()
	server, client := shared(t)
	a, b := &diary{rig: newRig(t, client)}, &diary{rig: newRig(t, client)}
	check := func(d *diary) string {
		s := d.stream(t)
		require.NoError(t, s.lineage.check(t.Context(), client))
		return s.lineage.name
	}
	a.put(t, "p1")
	b.put(t, "p2")
	assert.Empty(t, check(a), "nobody reads the journal")
	assert.False(t, server.Exists(epochKey))
	require.NoError(t, server.Set(epochKey, "first"))
	assert.Equal(t, "first", check(a))
	assert.Equal(t, "first", check(b))
	entries, err := server.Stream(streamKey)
	require.NoError(t, err)
	require.NoError(t, client.XDel(t.Context(), streamKey, entries[1].ID).Err())
	assert.Equal(t, "first", check(a), "what it saw is there")
	second := check(b)
	assert.NotEqual(t, "first", second)
	require.NoError(t, client.XDel(t.Context(), streamKey, entries[0].ID).Err())
	assert.Equal(t, second, check(a), "once is enough")
	assert.Equal(t, second, check(b))
	a.put(t, "p3")
	assert.Equal(t, second, check(a))
	late := &diary{rig: newRig(t, client)}
	late.put(t, "p4")
	entries, err = server.Stream(streamKey)
	require.NoError(t, err)
	require.NoError(t, client.XDel(t.Context(), streamKey, entries[len(entries)-1].ID).Err())
	assert.NotEqual(t, second, check(late), "also when it has not looked before")
}

// What nobody can read may be about anything.
func TestChangesThatCannotBeReadAreOfEverything(t *testing.T) {
	t.Parallel()
	d := withRedis(t)
	start := d.tell(t, "p1")
	require.NoError(t, d.client.XAdd(t.Context(), &redis.XAddArgs{Stream: streamKey, Values: []string{"id", "e1", "source", "erp", "type", "t"}}).Err())
	list, err := d.client.XRange(t.Context(), streamKey, "-", "+").Result()
	require.NoError(t, err)
	at, err := placeOf(list[1].ID)
	require.NoError(t, err)
	found, err := changesOf(list[1:], start, at, 10)
	require.NoError(t, err)
	require.Len(t, found.List, 1)
	assert.Equal(t, []commerce.Tag{commerce.TagAll}, found.List[0].Tags)
}

func TestTheJournalSaysWhenRedisIsAway(t *testing.T) {
	t.Parallel()
	server, client := shared(t)
	server.Close()
	j := NewJournal(client, nil, nil, nil)
	defer j.Close()
	for _, err := range []error{
		func() error { _, err := j.Head(t.Context()); return err }(),
		func() error { _, err := j.Since(t.Context(), Place{Epoch: 1}, 1); return err }(),
		j.Await(t.Context(), Place{}),
	} {
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		var call *commerce.CallError
		require.ErrorAs(t, err, &call)
		assert.Equal(t, time.Second, call.RetryAfter)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := j.Head(gone)
	require.Error(t, err)
	j.Close()
	_, err = j.Head(t.Context())
	require.ErrorIs(t, err, commerce.ErrUnavailable)
}

// Who knows everything asks Redis for nothing.
func TestNothingNewCostsRedisNothing(t *testing.T) {
	t.Parallel()
	d := withRedis(t)
	head := d.tell(t, "p1")
	calls := d.server.CommandCount()
	began := time.Now()
	for range 10_000 {
		found, err := d.Since(t.Context(), head, 10)
		require.NoError(t, err)
		require.Empty(t, found.List)
	}
	looks := 10 * (2 + int(time.Since(began)/lookEvery)) // of the follower, the consumer and the script's own calls
	assert.Less(t, d.server.CommandCount()-calls, looks+1000)
}

// The memory of a process without Redis is bounded, by changes and by tags.
func TestTheRingIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	r := newRing(func() time.Time { return now })
	start, err := r.Head(t.Context())
	require.NoError(t, err)
	for i := range mostTold + 5 {
		r.add(Change{ID: strconv.Itoa(i), Tags: []commerce.Tag{"a"}})
	}
	assert.Len(t, r.list, mostTold)
	_, err = r.Since(t.Context(), start, 1)
	require.ErrorIs(t, err, ErrExpired)
	oldest := r.list[0].At
	oldest.Seen = start.Seen
	_, err = r.Since(t.Context(), oldest, 1)
	require.NoError(t, err)
	last, err := r.Since(t.Context(), r.dropped, 1)
	require.ErrorIs(t, err, ErrExpired, "seen never")
	assert.Empty(t, last.List)
	many := make([]commerce.Tag, mostToldTags/2)
	r.add(Change{Tags: many})
	r.add(Change{Tags: many})
	r.add(Change{Tags: many})
	assert.LessOrEqual(t, r.tags, mostToldTags)
	assert.Len(t, r.list, 2)
	now = now.Add(kept + keptLonger + time.Second)
	r.add(Change{})
	assert.Len(t, r.list, 1)
	assert.Zero(t, r.tags)
}
