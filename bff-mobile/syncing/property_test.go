package syncing

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/edge/events"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// deed is one thing that happens while apps sync.
type deed struct {
	At   int // ms
	What deedKind
	Node int
	Of   int  // what it is about
	For  int  // ms that it lasts
	Late int  // ms until the change is told
	Lost bool // the first time it is told, and told again later
}

type deedKind int

const (
	renamed deedKind = iota
	published
	unpublished
	written
	pagePublished
	pageHidden
	named
	down    // the PIM
	slow    // the PIM
	severed // Redis, for a node
	week    // more than seven days pass, of Redis's clock
	trimmed // the journal, to its last changes
	taken   // one of its changes, by hand
	emptied // all of it, by who frees memory
	behind  // a replica that lacks its last changes takes over
)

var (
	deeds = rapid.SliceOfN(rapid.Custom(func(r *rapid.T) deed {
		return deed{
			At: rapid.IntRange(0, 3000).Draw(r, "at"), Node: rapid.IntRange(0, 1).Draw(r, "node"),
			What: rapid.SampledFrom(often).Draw(r, "what"), Of: rapid.IntRange(0, 5).Draw(r, "of"),
			For: rapid.IntRange(1, 1000).Draw(r, "for"), Late: rapid.SampledFrom([]int{0, 0, 0, 5, 200, 1500}).Draw(r, "late"),
			Lost: rapid.IntRange(0, 5).Draw(r, "lost") == 0,
		}
	}), 1, 25)
	often = []deedKind{
		renamed, renamed, renamed, published, published, unpublished, unpublished, written, pagePublished, pageHidden, named,
		down, slow, slow, severed, severed, week, trimmed, taken, emptied, behind,
	}
	skus    = []commerce.SKU{"BOWL-1", "LAMP-1", "MUG-BLUE", "MUG-RED", "RUG-1", "VASE-1"}
	pageIDs = []commerce.PageID{"about", "home", "returns", "shipping", "terms", "us"}
	groups  = []commerce.CategoryID{"home", "kitchen", "living"}
)

// happened counts what a story had in it.
type happened struct{ walks, tails, expired, refused, deleted, lost atomic.Int64 }

// story is a shop, two nodes and apps.
type story struct {
	shop     *commercetest.Shop
	server   *miniredis.Miniredis
	nodes    [2]*node
	operator redis.UniversalClient // whose wire nobody cuts
	lag      atomic.Int64
	downs    atomic.Int64 // that are under way
	ahead    atomic.Int64 // how far Redis's clock is, in ns
	number   atomic.Int64
	seen     *happened
}

var readsOfPIM = []commerce.Operation{commerce.OpProducts, commerce.OpPages, commerce.OpCategoryTree, commerce.OpSKUs, commerce.OpPageIDs}

// play does one thing.
func (s *story) play(d deed) {
	time.Sleep(time.Duration(d.At) * time.Millisecond)
	length, text := time.Duration(d.For)*time.Millisecond, fmt.Sprint("text ", s.number.Add(1))
	switch sku, page := skus[d.Of], pageIDs[d.Of]; d.What {
	case renamed:
		s.tell(d, tagsOf(s.shop.Rename(sku, text))...)
	case published, unpublished:
		s.tell(d, tagsOf(s.shop.Publish(sku, d.What == published))...)
	case written:
		s.shop.WritePage(page, text)
		s.tell(d, commerce.TagPage(page))
	case pagePublished, pageHidden:
		s.shop.PublishPage(page, d.What == pagePublished)
		s.tell(d, commerce.TagPage(page))
	case named:
		id := groups[d.Of%len(groups)]
		s.shop.NameCategory(id, text)
		s.tell(d, commerce.TagCategories, commerce.TagCategory(id))
	case down:
		s.downFor(length)
	case slow:
		s.lag.Store(int64(d.For) / 2)
		time.Sleep(length)
		s.lag.Store(0)
	case severed:
		s.nodes[d.Node].wire.cutFor(length)
	case week:
		const days = 8 * 24 * time.Hour
		s.ahead.Add(int64(days))
		s.server.FastForward(days)
	case trimmed, taken, emptied, behind:
		s.lose(d.What, d.Of)
	}
}

func tagsOf(list []commerce.SKU) []commerce.Tag {
	var tags []commerce.Tag
	for _, sku := range list {
		tags = append(tags, commerce.TagProduct(sku), commerce.TagReviews(sku))
	}
	return tags
}

func (s *story) downFor(d time.Duration) {
	if s.downs.Add(1) == 1 {
		for _, op := range readsOfPIM {
			s.shop.Fail(op, commerce.ErrUnavailable)
		}
	}
	time.Sleep(d)
	if s.downs.Add(-1) == 0 {
		for _, op := range readsOfPIM {
			s.shop.Fail(op, nil)
		}
	}
}

// loseScript takes changes out of the journal once all are applied: what nobody has applied yet is lost to
// the caches as well, whoever syncs. A replica lacks what was added last, and that it was; it is not a week behind.
var loseScript = redis.NewScript(`
local function last(about, name)
  for i = 1, #about, 2 do if about[i] == name then return about[i + 1] end end
end
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err or #groups == 0 then return 0 end
local delivered = last(groups[1], 'last-delivered-id')
if redis.call('XPENDING', KEYS[1], 'portico')[1] > 0 or last(redis.call('XINFO', 'STREAM', KEYS[1]), 'last-generated-id') ~= delivered then return 0 end
local what, of, list = ARGV[1], tonumber(ARGV[2]), redis.call('XRANGE', KEYS[1], '-', '+')
if what == 'trimmed' then
  redis.call('XTRIM', KEYS[1], 'MAXLEN', of)
elseif what == 'taken' and #list > 0 then
  redis.call('XDEL', KEYS[1], list[of % #list + 1][1])
elseif what == 'emptied' then
  redis.call('DEL', KEYS[1])
elseif what == 'behind' then
  local left = math.max(0, #list - of)
  local lost = list[left + 1]
  if not lost or tonumber(string.match(lost[1], '^%d+')) < tonumber(ARGV[3]) then return 0 end
  redis.call('DEL', KEYS[1])
  delivered = redis.call('XADD', KEYS[1], '0-1', 'the', 'stream is not new')
  redis.call('XDEL', KEYS[1], delivered)
  for i = 1, left do delivered = redis.call('XADD', KEYS[1], list[i][1], unpack(list[i][2])) end
  redis.call('XGROUP', 'CREATE', KEYS[1], 'portico', delivered, 'MKSTREAM')
end
return #list - redis.call('XLEN', KEYS[1])`)

// lose has changes go from the journal.
func (s *story) lose(what deedKind, of int) {
	name := map[deedKind]string{trimmed: "trimmed", taken: "taken", emptied: "emptied", behind: "behind"}[what]
	const week = 7 * 24 * time.Hour
	now := time.Now().Add(time.Duration(s.ahead.Load()) + time.Millisecond)
	s.server.SetTime(now) // no two servers give the same id within a millisecond
	oldest := now.Add(-week).UnixMilli()
	lost, err := loseScript.Run(context.Background(), s.operator, []string{"portico:events"}, name, of, oldest).Int64()
	if err != nil {
		panic(err)
	}
	s.seen.lost.Add(lost)
}

// tell has the PIM's sender tell of a change until somebody has taken it.
func (s *story) tell(d deed, tags ...commerce.Tag) {
	id := fmt.Sprint("e", s.number.Add(1))
	time.Sleep(time.Duration(d.Late) * time.Millisecond)
	if d.Lost {
		time.Sleep(700 * time.Millisecond)
	}
	for n := d.Node; !s.nodes[n%2].tell(id, tags); n++ {
		time.Sleep(300 * time.Millisecond)
	}
	if d.Of%3 == 0 {
		s.nodes[d.Node].tell(id, tags) // it may well come twice
	}
}

// copied is an app with its copy of the catalogue.
type copied struct {
	items map[string]api.SyncItem
	since string
	asked int
	first int
}

// ask has an app ask the nodes in turn; more is whether it has to go on. It says what must not be.
func (a *copied) ask(s *story) (more bool, wrong error) {
	a.asked++
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	page, err := s.nodes[a.asked%2].Page(ctx, market, a.since, a.first)
	switch {
	case errors.Is(err, events.ErrExpired):
		s.seen.expired.Add(1)
		a.since = ""
		return true, nil
	case errors.Is(err, commerce.ErrUnavailable), errors.Is(err, commerce.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		s.seen.refused.Add(1)
		return true, nil
	case err != nil:
		return false, err
	case len(page.Items) > a.first:
		return false, fmt.Errorf("%d items where %d were asked for", len(page.Items), a.first)
	}
	if a.since == "" {
		a.items = map[string]api.SyncItem{}
		s.seen.walks.Add(1)
	}
	if !page.Full {
		s.seen.tails.Add(1)
	}
	for _, item := range page.Items {
		key := fmt.Sprint(item.Kind, " ", item.Id)
		if item.Deleted {
			s.seen.deleted.Add(1)
			delete(a.items, key)
			continue
		}
		a.items[key] = item
	}
	a.since = page.Next
	return page.More, nil
}

// catchUp asks until an app has everything.
func (a *copied) catchUp(s *story) error {
	for range 200 {
		more, err := a.ask(s)
		if err != nil || !more {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("it has never all")
}

// run plays deeds while apps sync, waits until all is quiet, and answers in what an app's copy
// differs from what the upstream answers.
func (s *story) run(list []deed, apps []*copied) (wrong error) {
	var all, asking sync.WaitGroup
	done := make(chan struct{})
	errs := make([]error, len(apps))
	for i, a := range apps {
		asking.Go(func() {
			for errs[i] == nil {
				select {
				case <-done:
					return
				case <-time.After(time.Duration(100+150*i) * time.Millisecond):
					_, errs[i] = a.ask(s)
				}
			}
		})
	}
	for _, d := range list {
		all.Go(func() { s.play(d) })
	}
	all.Wait()
	close(done)
	asking.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	time.Sleep(12 * time.Second) // until everyone has heard everything, and seen what is lost
	want, err := s.upstreams()
	if err != nil {
		return err
	}
	for i, a := range apps {
		if err := a.catchUp(s); err != nil {
			return err
		}
		wrong = errors.Join(wrong, differences(i, a.items, want))
	}
	return wrong
}

// upstreams is what the PIM says without anything in between.
func (s *story) upstreams() (map[string]api.SyncItem, error) {
	direct := Catalogue{Ports: s.shop.Ports(), Journal: events.NewJournal(nil, nil, nil, nil)}
	page, err := direct.Page(context.Background(), market, "", commerce.MaxBatch)
	if err != nil {
		return nil, err
	}
	want := map[string]api.SyncItem{}
	for _, item := range page.Items {
		want[fmt.Sprint(item.Kind, " ", item.Id)] = item
	}
	return want, nil
}

func differences(app int, got, want map[string]api.SyncItem) error {
	var wrong []string
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if have, ok := got[key]; !ok {
			wrong = append(wrong, fmt.Sprintf("app %d does not have %s", app, key))
		} else if !reflect.DeepEqual(have, want[key]) {
			wrong = append(wrong, fmt.Sprintf("app %d has another %s:\n%+v\n%+v", app, key, have, want[key]))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			wrong = append(wrong, fmt.Sprintf("app %d still has %s", app, key))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return errors.New(strings.Join(wrong, "\n"))
}

// tell tells a story from its beginning to its end.
func tell(list []deed, seen *happened) error {
	s := &story{shop: commercetest.NewShop(), server: miniredis.NewMiniRedis(), seen: seen}
	for _, id := range pageIDs[2:4] {
		s.shop.WritePage(id, "first")
	}
	ctx, stop := context.WithCancel(context.Background())
	var work sync.WaitGroup
	ports := s.shop.Ports()
	late := pim{ports, &s.lag}
	ports.Catalog, ports.Content, ports.Categories, ports.Listing = late, late, late, late
	work.Go(func() { // the server's clock runs, and its keys end, when it is told
		const tick = 100 * time.Millisecond
		for ctx.Err() == nil {
			s.server.SetTime(time.Now().Add(time.Duration(s.ahead.Load())))
			s.server.FastForward(tick)
			time.Sleep(tick)
		}
	})
	s.operator = redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", Protocol: 2, Dialer: (&wire{server: s.server}).dial})
	var err error
	for i := range s.nodes {
		w := &wire{server: s.server}
		if s.nodes[i], err = w.node(ctx, ports, &work); err != nil {
			break
		}
	}
	if err == nil {
		time.Sleep(time.Second) // they hear each other
		err = s.run(list, []*copied{{first: 2}, {first: 100}})
	}
	stop()
	for _, n := range s.nodes {
		if n != nil {
			err = errors.Join(err, n.close())
		}
	}
	work.Wait()
	err = errors.Join(err, s.operator.Close())
	s.server.Close()
	return err
}

// Whatever is edited in the PIM while apps sync, and whatever fails meanwhile: once all is quiet
// every app's copy is what the PIM answers by itself. -rapid.checks tells how many
// stories each of the parts tells: ten, and one in the build that hashes values.
func TestACatalogueSyncedAfterAnyChangesIsTheUpstreams(t *testing.T) {
	t.Parallel()
	var seen happened
	var stories atomic.Int64
	t.Run("stories", func(t *testing.T) {
		for part := range parts {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(r *rapid.T) {
					list := deeds.Draw(r, "deeds")
					stories.Add(1)
					var wrong error
					synctest.Test(t, func(*testing.T) { wrong = tell(list, &seen) })
					if wrong != nil {
						r.Fatal(wrong)
					}
				})
			})
		}
	})
	t.Logf("%d stories: %d walks, %d tails, %d times too old, %d refusals, %d deletions, %d changes lost", stories.Load(),
		seen.walks.Load(), seen.tails.Load(), seen.expired.Load(), seen.refused.Load(), seen.deleted.Load(), seen.lost.Load())
	for _, n := range []*atomic.Int64{&seen.walks, &seen.tails, &seen.expired, &seen.refused, &seen.deleted, &seen.lost} {
		assert.Positive(t, n.Load(), "or else this proves little")
	}
}

// Stories that the property found false once, told in every build.
func TestACatalogueSyncedAfterTheseChangesIsTheUpstreams(t *testing.T) {
	t.Parallel()
	for name, list := range map[string][]deed{
		"apps whose place is before all changes, of which only the last is left": {
			{At: 1, What: pageHidden, Of: 1, For: 681, Late: 1500},
			{At: 989, What: slow, Of: 3, For: 788},
			{At: 1144, What: renamed, For: 563},
			{What: severed, Node: 1, Of: 4, For: 285, Late: 5},
			{At: 1751, What: trimmed, Of: 1, For: 1, Late: 200, Lost: true},
		},
		"a walk that began behind the last change of a week ago, which is gone": {
			{At: 971, What: week, Node: 1, Of: 1, For: 471, Lost: true},
			{At: 1741, What: trimmed, For: 662},
			{At: 117, What: published, Node: 1, Of: 1, For: 702, Lost: true},
		},
		"a walk that began behind the last change of a week ago, when the stream went": {
			{At: 117, What: published, Node: 1, Of: 1, For: 702, Lost: true},
			{At: 971, What: week, Node: 1, Of: 1, For: 471, Lost: true},
			{At: 1600, What: emptied, For: 662},
		},
		"a replica that lacks the last change takes over, and the next one comes at once": {
			{At: 100, What: published, Of: 1},
			{At: 1000, What: unpublished, Of: 1},
			{At: 1045, What: behind, Of: 1},
			{At: 1065, What: renamed, Of: 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen happened
			synctest.Test(t, func(t *testing.T) { require.NoError(t, tell(list, &seen)) })
			assert.Positive(t, seen.expired.Load(), "some had to begin anew")
			assert.Positive(t, seen.lost.Load())
		})
	}
}
