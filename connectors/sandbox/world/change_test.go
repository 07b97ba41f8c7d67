package world_test

import (
	"sync"
	"testing"
	"time"

	"github.com/bojanz/currency"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

const bike = "BK-R93R-62"

func usd(t *testing.T, text string) *currency.Amount {
	t.Helper()
	amount, err := currency.NewAmount(text, "USD")
	require.NoError(t, err)
	return &amount
}

func TestAChangeIsTheWorldsAlone(t *testing.T) {
	t.Parallel()
	w, err := world.Load()
	require.NoError(t, err)
	other, err := world.Load()
	require.NoError(t, err)
	var events []world.Event
	var renewed int
	w.OnEvent(func(e world.Event) { events = append(events, e) })
	w.OnCatalog(func() { renewed++ })

	old := w.BySKU(bike)
	stock := 7
	require.True(t, w.Change(bike, world.Change{Name: "A bike", Price: usd(t, "100.00"), Stock: &stock}))
	p := w.BySKU(bike)
	assert.Equal(t, "A bike", p.Name)
	assert.NotEqual(t, "A bike", old.Name, "what was handed out never changes")
	assert.Same(t, p, w.Product(p.ID))
	assert.Contains(t, w.Products(), p)
	assert.Contains(t, w.Variants(p.ModelID), p)
	assert.Len(t, w.Variants(p.ModelID), len(other.Variants(p.ModelID)))
	assert.Equal(t, 7, w.Free(p.ID))
	for code, want := range map[string]string{"USD": "100.00", "EUR": "92.00", "GBP": "79.00"} {
		price, ok := w.UnitPrice(p.ID, world.Retail, code, 1)
		require.True(t, ok)
		assert.Equal(t, want, price.Number())
	}
	wholesale, _ := w.UnitPrice(p.ID, world.Wholesale, "USD", 1)
	assert.Equal(t, "85.00", wholesale.Number())
	assert.Same(t, old, other.BySKU(bike), "other worlds stay as they are")

	require.Len(t, events, 1)
	assert.Equal(t, []*world.Product{p}, events[0].Named)
	assert.Equal(t, []*world.Product{p}, events[0].Priced)
	assert.Equal(t, []*world.Product{p}, events[0].Changed())
	assert.Equal(t, []int{p.ID}, events[0].Stocked)
	assert.Equal(t, 1, renewed)

	require.True(t, w.Change(bike, world.Change{Name: "A bike", Price: usd(t, "100"), Stock: &stock}))
	assert.Len(t, events, 1, "nothing happened")
	stock = 0
	require.True(t, w.Change(bike, world.Change{Stock: &stock}))
	assert.Equal(t, 1, renewed, "stock is in no catalog")
	assert.Zero(t, w.Free(p.ID))

	w.Reset()
	assert.Same(t, old, w.BySKU(bike))
	assert.Equal(t, other.Free(p.ID), w.Free(p.ID))
	require.Len(t, events, 3)
	assert.Equal(t, []*world.Product{old}, events[2].Named, "going back is a change, too")
	assert.Equal(t, []int{p.ID}, events[2].Stocked)
	assert.Equal(t, 2, renewed)
}

// What the PIM hides is hidden from its readers alone, and told of with what it came to.
func TestWhatThePIMSavesIsTold(t *testing.T) {
	t.Parallel()
	w, err := world.Load()
	require.NoError(t, err)
	other, err := world.Load()
	require.NoError(t, err)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w.SetClock(func() time.Time { return at })
	var events []world.Event
	w.OnEvent(func(e world.Event) { events = append(events, e) })
	last := func() world.Saved {
		require.NotEmpty(t, events)
		saved := events[len(events)-1].Saved
		require.Len(t, saved, 1)
		return saved[0]
	}
	id, model := w.BySKU(bike).ID, w.BySKU(bike).ModelID
	unpublished, deleted, published := world.Unpublished, world.Deleted, world.Published

	require.True(t, w.Change(bike, world.Change{State: &unpublished}))
	hidden := w.BySKU(bike)
	assert.Equal(t, world.Saved{Product: hidden}, last())
	assert.False(t, hidden.Published)
	assert.Equal(t, at, hidden.UpdatedAt)
	assert.NotContains(t, w.Variants(model), hidden)
	assert.Len(t, w.Variants(model), len(other.Variants(model))-1)
	price, sold := w.UnitPrice(id, world.Retail, "EUR", 1)
	assert.True(t, sold, "the ERP sells on")
	before, _ := other.UnitPrice(id, world.Retail, "EUR", 1)
	assert.Equal(t, before, price)
	require.True(t, w.Change(bike, world.Change{State: &deleted}))
	assert.Equal(t, world.Saved{Product: w.BySKU(bike), How: world.Removed}, last())
	assert.False(t, w.Change(bike, world.Change{State: &deleted}))
	assert.False(t, w.Change(bike, world.Change{Name: "x"}))
	require.True(t, w.Change(bike, world.Change{State: &published}))
	assert.Equal(t, world.Saved{Product: w.BySKU(bike), How: world.Added}, last())
	assert.Len(t, w.Variants(model), len(other.Variants(model)))

	old := w.Page("home")
	require.True(t, w.ChangePage("home", world.PageChange{Language: "fr", Title: "Allez"}))
	assert.Equal(t, world.Saved{Page: w.Page("home")}, last())
	assert.Equal(t, "Allez", w.Page("home").Title["fr"])
	assert.Equal(t, "Roulez plus loin", old.Title["fr"], "what was handed out never changes")
	assert.Equal(t, old.Body, w.Page("home").Body)
	require.True(t, w.ChangePage("home", world.PageChange{State: &deleted}))
	assert.Equal(t, world.Saved{Page: w.Page("home"), How: world.Removed}, last())
	assert.False(t, w.ChangePage("home", world.PageChange{Language: "fr", Title: "x"}))
	require.True(t, w.ChangePage("home", world.PageChange{State: &unpublished}))
	assert.Equal(t, world.Saved{Page: w.Page("home"), How: world.Added}, last())

	require.True(t, w.NameCategory(101, "Climbers"))
	assert.Equal(t, world.Saved{Category: w.Category(101)}, last())
	assert.Equal(t, "Climbers", w.Categories()[4].Name)
	assert.Equal(t, "Mountain Bikes", other.Category(101).Name, "other worlds stay as they are")

	told := len(events)
	require.True(t, w.NameCategory(101, "Climbers"))
	require.True(t, w.ChangePage("home", world.PageChange{State: &unpublished}))
	require.True(t, w.Change(bike, world.Change{State: &published}))
	assert.Len(t, events, told, "nothing happened")
	w.Reset()
	saved := events[told].Saved
	assert.Equal(t, []world.Saved{{Category: other.Category(101)}, {Page: other.Page("home")}}, saved)
}

func TestOnlyWhatIsSoldCanBeChanged(t *testing.T) {
	t.Parallel()
	w, err := world.Load()
	require.NoError(t, err)
	w.OnEvent(func(world.Event) { assert.Fail(t, "nothing changed") })
	assert.False(t, w.Change("NO-SUCH", world.Change{Name: "x"}))
	assert.False(t, w.Change("AR-5381", world.Change{Name: "x"}), "a part")
}

func TestAnOrderTellsOfTheStockItTook(t *testing.T) {
	t.Parallel()
	w, err := world.Load()
	require.NoError(t, err)
	var events []world.Event
	w.OnEvent(func(e world.Event) { events = append(events, e) })
	id := w.BySKU(bike).ID
	line := world.OrderLine{ProductID: id, SKU: bike, Qty: 1}
	placed, err := w.PlaceOrder(world.Order{Lines: []world.OrderLine{line, line}})
	require.NoError(t, err)
	require.Len(t, events, 1)
	assert.Equal(t, []int{id}, events[0].Stocked)
	assert.Same(t, placed, events[0].Order)
	line.Qty = 1_000_000
	_, err = w.PlaceOrder(world.Order{Lines: []world.OrderLine{line}})
	require.ErrorIs(t, err, world.ErrOutOfStock)
	assert.Len(t, events, 1)
}

// Changes beside reads and orders are safe, and none gets lost.
func TestChangesRunBesideEverythingElse(t *testing.T) {
	t.Parallel()
	w, err := world.Load()
	require.NoError(t, err)
	w.OnCatalog(func() { _ = w.Products() })
	var work sync.WaitGroup
	skus := []string{bike, "BK-R93R-44", "BK-R93R-48", "BK-R93R-52"}
	for _, sku := range skus {
		work.Go(func() {
			for range 20 {
				w.Change(sku, world.Change{Name: "new " + sku})
				_, _ = w.UnitPrice(w.BySKU(sku).ID, world.Retail, "EUR", 1)
			}
		})
	}
	work.Wait()
	for _, sku := range skus {
		assert.Equal(t, "new "+sku, w.BySKU(sku).Name)
	}
}
