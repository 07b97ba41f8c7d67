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
	trimmed // the journal
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
		down, slow, slow, severed, severed, week, trimmed,
	}
	skus    = []commerce.SKU{"BOWL-1", "LAMP-1", "MUG-BLUE", "MUG-RED", "RUG-1", "VASE-1"}
	pageIDs = []commerce.PageID{"about", "home", "returns", "shipping", "terms", "us"}
	groups  = []commerce.CategoryID{"home", "kitchen", "living"}
)

// happened counts what a story had in it.
type happened struct{ walks, tails, expired, refused, deleted atomic.Int64 }

// story is a shop, two nodes and apps.
type story struct {
	shop   *commercetest.Shop
	server *miniredis.Miniredis
	nodes  [2]*node
	lag    atomic.Int64
	downs  atomic.Int64 // that are under way
	ahead  atomic.Int64 // how far Redis's clock is, in ns
	number atomic.Int64
	seen   *happened
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
	case trimmed:
		s.trim(d.Of)
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

// trim takes all but the last changes from the journal, once all are applied.
func (s *story) trim(left int) {
	ctx, client := context.Background(), s.nodes[0].cache.Redis()
	const stream = "portico:events"
	entries, err := s.server.Stream(stream)
	if err != nil || len(entries) <= left {
		return
	}
	held, err := client.XPending(ctx, stream, "portico").Result()
	at, err2 := client.XInfoGroups(ctx, stream).Result()
	if err != nil || err2 != nil || held.Count > 0 || len(at) == 0 || at[0].LastDeliveredID != entries[len(entries)-1].ID {
		return
	}
	_ = client.XTrimMaxLen(ctx, stream, int64(left)).Err()
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
	time.Sleep(4 * time.Second) // until everyone has heard everything
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
	t.Logf("%d stories: %d walks, %d tails, %d times too old, %d refusals, %d deletions", stories.Load(),
		seen.walks.Load(), seen.tails.Load(), seen.expired.Load(), seen.refused.Load(), seen.deleted.Load())
	for _, n := range []*atomic.Int64{&seen.walks, &seen.tails, &seen.expired, &seen.refused, &seen.deleted} {
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
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen happened
			synctest.Test(t, func(t *testing.T) { require.NoError(t, tell(list, &seen)) })
			assert.Positive(t, seen.expired.Load(), "some had to begin anew")
		})
	}
}
