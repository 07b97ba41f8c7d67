package syncing

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/edge/events"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// notes are a journal that a test writes.
type notes struct {
	list []events.Told
	head int // so many of them are invalidated in this process
	old  int // so many of them are forgotten
	err  error
	read int // how often it was read
}

const history = 42

func (n *notes) tell(tags ...commerce.Tag) {
	n.list = append(n.list, events.Told{Change: events.Change{Tags: tags}, At: n.place(len(n.list) + 1)})
	n.head = len(n.list)
}

func (n *notes) place(i int) events.Place {
	return events.Place{Epoch: history, Ms: 1000 + uint64(i), Seen: 1000} //nolint:gosec // small
}

func (n *notes) Tells() bool                                { return true }
func (n *notes) Head(context.Context) (events.Place, error) { return n.place(n.head), n.err }
func (n *notes) Close()                                     {}

func (n *notes) Await(_ context.Context, at events.Place) error {
	switch {
	case at.Epoch != history:
		return events.ErrExpired
	case n.place(n.head).Before(at):
		return commerce.ErrUnavailable
	}
	return n.err
}

func (n *notes) Since(_ context.Context, after events.Place, most int) (events.Changes, error) {
	n.read++
	if after.Epoch != history || after.Before(n.place(n.old)) || n.err != nil {
		return events.Changes{}, cmpErr(n.err)
	}
	at := int(after.Ms) - 1000 //nolint:gosec // small
	if at > n.head {
		return events.Changes{At: after}, nil
	}
	list := n.list[at:n.head]
	if len(list) > most {
		return events.Changes{List: list[:most], At: list[most-1].At, More: true}, nil
	}
	return events.Changes{List: list, At: n.place(n.head)}, nil
}

func cmpErr(err error) error {
	if err != nil {
		return err
	}
	return events.ErrExpired
}

// device is an app that keeps a copy.
type device struct {
	*Catalogue

	t     *testing.T
	m     commerce.Market
	next  string
	items map[subject]api.SyncItem
}

func newDevice(t *testing.T, journal events.Journal) (*device, *commercetest.Shop) {
	t.Helper()
	shop := commercetest.NewShop()
	return &device{
		Catalogue: &Catalogue{Ports: shop.Ports(), Journal: journal}, t: t, m: shop.Fixture().Market, items: map[subject]api.SyncItem{},
	}, shop
}

// once asks for one page and stores it.
func (d *device) once(first int) *api.Sync {
	d.t.Helper()
	page, err := d.Page(d.t.Context(), d.m, d.next, first)
	require.NoError(d.t, err)
	require.LessOrEqual(d.t, len(page.Items), first)
	for _, item := range page.Items {
		d.items[subject{item.Kind, item.Id}] = item
	}
	d.next = page.Next
	return page
}

// all asks until there is no more, and answers how many pages there were.
func (d *device) all(first int) (items []api.SyncItem, pages int) {
	d.t.Helper()
	for {
		page := d.once(first)
		items = append(items, page.Items...)
		pages++
		require.Less(d.t, pages, 1000)
		if !page.More {
			return items, pages
		}
	}
}

func ids(items []api.SyncItem) (list []string) {
	for _, item := range items {
		list = append(list, item.Id)
	}
	return list
}

func TestADeletionIsTold(t *testing.T) {
	t.Parallel()
	journal := &notes{}
	d, _ := newDevice(t, journal)
	d.all(100)
	journal.tell("product:MUG-RED", "reviews:MUG-RED", "product:NO-SUCH")
	journal.tell("page:no-such", "stock:BOWL-1", "price:BOWL-1")
	page := d.once(100)
	assert.False(t, page.Full)
	assert.Equal(t, []string{"MUG-RED", "NO-SUCH", "no-such"}, ids(page.Items))
	assert.False(t, page.Items[0].Deleted)
	assert.NotEmpty(t, page.Items[0].Version)
	assert.Equal(t, api.SyncItem{Kind: api.SyncKindProduct, Id: "NO-SUCH", Deleted: true}, page.Items[1])
	assert.Equal(t, api.SyncItem{Kind: api.SyncKindPage, Id: "no-such", Deleted: true}, page.Items[2])
	assert.Empty(t, d.once(100).Items, "once is enough")
}

// Prices, stock, reviews and the like tell an app nothing, and neither does what it cannot ask for.
func TestWhatIsTold(t *testing.T) {
	t.Parallel()
	for tag, want := range map[commerce.Tag][]string{
		"product:MUG-RED": {"MUG-RED"}, "sku:MUG-RED": {"MUG-RED"}, "page:home": {"home"},
		"categories": {treeID}, "category:kitchen": {treeID}, "op:categories.tree": {treeID},
		"stock:MUG-RED": nil, "price:MUG-RED": nil, "reviews:MUG-RED": nil, "related:MUG-RED": nil, "search": nil, "reference": nil,
		"system:odoo": nil, "op:reviews.reviews": nil, "product:#x": nil, "product:": nil, "page:a.b": nil, "categories:x": {treeID}, "": nil,
	} {
		journal := &notes{}
		d, _ := newDevice(t, journal)
		d.all(100)
		journal.tell(tag)
		items, _ := d.all(100)
		assert.Equal(t, want, ids(items), tag)
	}
	for _, tag := range []commerce.Tag{"all", "op:catalog.products", "op:content.pages", "system:shop"} {
		journal := &notes{}
		d, shop := newDevice(t, journal)
		d.Ports.Traits = map[commerce.Operation]commerce.Traits{}
		for op, traits := range shop.Ports().Traits {
			traits.System = "shop"
			d.Ports.Traits[op] = traits
		}
		d.Ports.Traits[commerce.OpProducts] = commerce.Traits{System: "shop"}
		d.all(100)
		journal.tell("product:MUG-RED")
		journal.tell(tag)
		_, err := d.Page(t.Context(), d.m, d.next, 100)
		require.ErrorIs(t, err, events.ErrExpired, tag)
	}
}

// However small pages are, all that an event names is told, in order, and each page ends where the next goes on.
func TestPagesOfAnySizeTellTheSame(t *testing.T) {
	t.Parallel()
	want := []string{"MUG-RED", "MUG-BLUE", treeID, "home", "LAMP-1", "VASE-1", "MUG-RED"}
	for first := 1; first <= 8; first++ {
		journal := &notes{}
		d, _ := newDevice(t, journal)
		d.all(100)
		journal.tell("stock:RUG-1")
		journal.tell("product:MUG-RED", "reviews:MUG-RED", "product:MUG-BLUE", "categories", "category:kitchen", "page:home")
		journal.tell("product:LAMP-1", "product:LAMP-1", "product:VASE-1")
		journal.tell("price:RUG-1")
		journal.tell("product:MUG-RED")
		journal.tell("stock:RUG-1")
		items, pages := d.all(first)
		told := slices.Compact(ids(items))
		if first >= 6 {
			told = append(told, "MUG-RED") // each once on a page
		}
		assert.Equal(t, want, told, first)
		assert.Positive(t, pages)
		items, _ = d.all(first)
		assert.Empty(t, items)
	}
}

func TestSyncCursors(t *testing.T) {
	t.Parallel()
	journal := &notes{}
	d, _ := newDevice(t, journal)
	d.all(100)
	ask := func(since string) error {
		_, err := d.Page(t.Context(), d.m, since, 100)
		return err
	}
	own := cursor{mode: tailing, market: marketOf(d.m), at: journal.place(0)}
	require.Equal(t, own.String(), d.next)
	for name, c := range map[string]struct {
		with func(*cursor)
		want error
	}{
		"its own":             {func(*cursor) {}, nil},
		"another market's":    {func(c *cursor) { c.market++ }, commerce.ErrInvalid},
		"another history's":   {func(c *cursor) { c.at.Epoch++ }, events.ErrExpired},
		"a walk of another":   {func(c *cursor) { c.mode, c.phase, c.at.Epoch = walking, products, 1 }, events.ErrExpired},
		"a walk of its own":   {func(c *cursor) { c.mode, c.phase = walking, products }, nil},
		"a forged skip":       {func(c *cursor) { c.skip = 1 << 63 }, nil},
		"behind what is here": {func(c *cursor) { c.mode, c.phase, c.at = walking, products, journal.place(7) }, commerce.ErrUnavailable},
		"another node's tail": {func(c *cursor) { c.at = journal.place(7) }, nil},
	} {
		forged := own
		c.with(&forged)
		err := ask(forged.String())
		if c.want == nil {
			require.NoError(t, err, name)
		} else {
			require.ErrorIs(t, err, c.want, name)
		}
	}
	require.ErrorIs(t, ask("garbage"), commerce.ErrInvalid)
}

func TestAnOldCursorIsGone(t *testing.T) {
	t.Parallel()
	journal := &notes{}
	d, _ := newDevice(t, journal)
	d.all(100)
	journal.tell("product:MUG-RED")
	journal.tell("product:MUG-BLUE")
	journal.old = 1
	_, err := d.Page(t.Context(), d.m, d.next, 100)
	require.ErrorIs(t, err, events.ErrExpired)
}

// What this process may still answer from before is not passed.
func TestSyncNeverPassesWhatThisNodeHasNotHeard(t *testing.T) {
	t.Parallel()
	journal := &notes{}
	d, _ := newDevice(t, journal)
	d.all(100)
	before := d.next
	journal.tell("product:MUG-RED")
	journal.head = 0
	assert.Empty(t, d.once(100).Items)
	assert.Equal(t, before, d.next)
	journal.head = 1
	assert.Equal(t, []string{"MUG-RED"}, ids(d.once(100).Items))
	after := d.next
	journal.head = 0 // another node, which is behind
	assert.Empty(t, d.once(100).Items)
	assert.Equal(t, after, d.next, "nobody is led back")
}

// What changes during a walk is told right behind it.
func TestAWalkGoesOnWhereItBegan(t *testing.T) {
	t.Parallel()
	journal := &notes{}
	d, _ := newDevice(t, journal)
	journal.tell("product:VASE-1")
	require.True(t, d.once(2).More)
	journal.tell("product:BOWL-1")
	items, _ := d.all(2)
	end := ids(items[len(items)-2:])
	assert.Equal(t, []string{"VASE-1", "BOWL-1"}, end, "and what changed before is not")
	items, _ = d.all(2)
	assert.Empty(t, items)
}

// What cannot be had moves nobody on.
func TestAnErrorMovesNobodyOn(t *testing.T) {
	t.Parallel()
	journal := &notes{}
	d, shop := newDevice(t, journal)
	d.all(100)
	journal.tell("product:MUG-RED", "page:home", "categories")
	for _, op := range []commerce.Operation{commerce.OpProducts, commerce.OpPages, commerce.OpCategoryTree} {
		shop.Fail(op, commerce.ErrTimeout)
		_, err := d.Page(t.Context(), d.m, d.next, 100)
		require.ErrorIs(t, err, commerce.ErrTimeout, op)
		shop.Fail(op, nil)
	}
	journal.err = commerce.ErrUnavailable
	for _, since := range []string{"", d.next} {
		_, err := d.Page(t.Context(), d.m, since, 100)
		require.ErrorIs(t, err, commerce.ErrUnavailable)
	}
	journal.err = nil
	assert.Len(t, d.once(100).Items, 3)
}

// A flood of changes that tell an app nothing is read in pieces, a few for each answer.
func TestOneAnswerReadsSoMuchAtMost(t *testing.T) {
	t.Parallel()
	journal := &notes{}
	d, _ := newDevice(t, journal)
	d.all(100)
	for range mostRead*mostReads + 1 {
		journal.tell("stock:MUG-RED")
	}
	journal.tell("product:MUG-RED")
	journal.read = 0
	page := d.once(100)
	assert.True(t, page.More)
	assert.Empty(t, page.Items)
	assert.Equal(t, mostReads, journal.read)
	assert.Equal(t, []string{"MUG-RED"}, ids(d.once(100).Items))
}

// stuck lists the same for ever.
type stuck struct{ commerce.Listing }

func (stuck) SKUs(context.Context, commerce.Market, commerce.SKU, int) ([]commerce.SKU, error) {
	return []commerce.SKU{"MUG-RED", "BOWL-1"}, nil
}

func TestAListThatDoesNotMoveOnIsNonsense(t *testing.T) {
	t.Parallel()
	d, shop := newDevice(t, &notes{})
	d.Ports.Listing = stuck{shop.Ports().Listing}
	_, err := d.Page(t.Context(), d.m, "", 100)
	require.ErrorIs(t, err, commerce.ErrUpstream)
}

// bare lists a thousand products that nobody can have in the market, and counts how often it was asked.
type bare struct {
	commerce.Listing

	asked int
}

func (b *bare) SKUs(_ context.Context, _ commerce.Market, after commerce.SKU, first int) ([]commerce.SKU, error) {
	b.asked++
	var list []commerce.SKU
	for i := range 1000 {
		if sku := commerce.SKU(fmt.Sprintf("NONE-%04d", i)); sku > after && len(list) < first {
			list = append(list, sku)
		}
	}
	return list, nil
}

// However much is listed that is not to be had in a market, an answer does so much at most, and each gets further.
func TestOneAnswerOfAWalkListsSoMuchAtMost(t *testing.T) {
	t.Parallel()
	d, shop := newDevice(t, &notes{})
	listing := &bare{Listing: shop.Ports().Listing}
	d.Ports.Listing = listing
	var asked []int
	for more := true; more; {
		listing.asked = 0
		more = d.once(50).More
		asked = append(asked, listing.asked)
	}
	assert.LessOrEqual(t, slices.Max(asked), mostStrides)
	assert.LessOrEqual(t, len(asked), 5)
	assert.Contains(t, d.items, subject{api.SyncKindCategories, treeID})
	assert.Empty(t, d.once(50).Items)
}

// What is older than it should be is not good enough for a copy.
func TestNothingStaleIsTaken(t *testing.T) {
	t.Parallel()
	d, shop := newDevice(t, &notes{})
	d.Ports.Catalog = asking{shop.Ports().Catalog, func(ctx context.Context) {
		most, bounded := commerce.StaleUpTo(ctx)
		assert.True(t, bounded)
		assert.Equal(t, time.Duration(0), most)
	}}
	d.all(100)
}

type asking struct {
	commerce.Catalog

	see func(context.Context)
}

func (a asking) Products(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	a.see(ctx)
	return a.Catalog.Products(ctx, m, skus)
}

// patchy answers for all but some, of which it says that it cannot, as the cache does of a batch.
type patchy struct {
	commerce.Catalog
	commerce.Content
}

func (p patchy) Products(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	known, err := p.Catalog.Products(ctx, m, skus)
	if _, ok := known["MUG-RED"]; ok {
		delete(known, "MUG-RED")
		err = commerce.ErrUnavailable
	}
	return known, err
}

func (p patchy) Pages(ctx context.Context, m commerce.Market, ids []commerce.PageID) (map[commerce.PageID]*commerce.Page, error) {
	known, err := p.Content.Pages(ctx, m, ids)
	if _, ok := known["home"]; ok {
		delete(known, "home")
		err = commerce.ErrUnavailable
	}
	return known, err
}

// What could not be read is not gone, however much else could be.
func TestAnAnswerWithAGapIsNone(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		tags  []commerce.Tag
		phase phase
		patch func(*commerce.Ports, patchy)
	}{
		"of products": {[]commerce.Tag{"product:BOWL-1", "product:MUG-RED"}, products, func(p *commerce.Ports, some patchy) { p.Catalog = some }},
		"of pages":    {[]commerce.Tag{"page:about", "page:home"}, pages, func(p *commerce.Ports, some patchy) { p.Content = some }},
	} {
		journal := &notes{}
		d, shop := newDevice(t, journal)
		shop.WritePage("about", "text")
		d.all(100)
		journal.tell(of.tags...)
		of.patch(&d.Ports, patchy{d.Ports.Catalog, d.Ports.Content})
		walk := cursor{mode: walking, market: marketOf(d.m), at: journal.place(1), phase: of.phase}
		for _, since := range []string{d.next, walk.String()} {
			_, err := d.Page(t.Context(), d.m, since, 100)
			require.ErrorIs(t, err, commerce.ErrUnavailable, name)
		}
	}
}

// forgetful is a journal whose history began anew while somebody walked.
type forgetful struct{ *notes }

func (f forgetful) Head(ctx context.Context) (events.Place, error) {
	at, err := f.notes.Head(ctx)
	at.Epoch++
	return at, err
}

// Places of two histories are not to be compared: a walk that is at its end asks for no more because of another
// history, but when the app syncs next.
func TestAWalkIsWholeWhateverAnotherHistorySays(t *testing.T) {
	t.Parallel()
	journal := &notes{}
	d, _ := newDevice(t, journal)
	require.True(t, d.once(2).More)
	journal.tell("product:BOWL-1")
	d.Journal = forgetful{journal}
	for more := true; more; {
		page := d.once(100)
		require.True(t, page.Full, "it goes on")
		more = page.More
	}
}
