package odoo

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

func FuzzCursor(f *testing.F) {
	sample := position{at: time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC), id: 1 << 60}
	for _, s := range []string{"", "not a cursor", sample.cursor(cursorOrders), sample.cursor(cursorInvoices), "bzEuMS4x", "bzEuMDEuMQ", "bzEuMS4w"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, after string) {
		p, err := parseCursor(cursorOrders, after)
		if err == nil {
			if after != "" && p.cursor(cursorOrders) != after {
				t.Fatalf("%q reads as %+v, which is written %q", after, p, p.cursor(cursorOrders))
			}
			return
		}
		input, ok := errors.AsType[*commerce.InputError](err)
		if !ok || input.Field != "after" {
			t.Fatalf("%q: %v", after, err)
		}
	})
}

func TestACursorOfOneListIsNoneOfAnother(t *testing.T) {
	t.Parallel()
	at := position{at: time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC), id: 7}
	got, err := parseCursor(cursorInvoices, at.cursor(cursorInvoices))
	require.NoError(t, err)
	assert.Equal(t, at, got)
	_, err = parseCursor(cursorInvoices, at.cursor(cursorOrders))
	require.ErrorIs(t, err, commerce.ErrInvalid)
}

func TestChoosePartner(t *testing.T) {
	t.Parallel()
	records := []wirePartner{
		{ID: 90, Email: "ada@example.test", Type: "contact"},
		{ID: 12, Email: "ada@example.test", Type: "delivery"},
		{ID: 40, Email: "ada@example.test", Type: "contact"},
		{ID: 20, Email: "Ada@example.test", Type: "contact"},
		{ID: 10, Email: "ada@example.test.evil", Type: "contact"},
	}
	id, err := choosePartner(records, "ada@example.test")
	require.NoError(t, err)
	assert.Equal(t, recordID(40), id)
	_, err = choosePartner(records, "bob@example.test")
	require.ErrorIs(t, err, commerce.ErrNotFound)
}

func TestLineNames(t *testing.T) {
	t.Parallel()
	for description, want := range map[string]string{
		"[HL-U509-R] Sport-100 Helmet, Red\nwith a bell": "Sport-100 Helmet, Red",
		"Engraving": "Engraving",
		"[open":     "[open",
		"":          "",
	} {
		assert.Equal(t, want, lineName(description))
	}
}

func TestAParcelIsWhatItsTransferSays(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for state, want := range map[text]commerce.ShipmentState{
		"draft": commerce.ShipmentPending, "waiting": commerce.ShipmentPending, "confirmed": commerce.ShipmentPending,
		"assigned": commerce.ShipmentReady, "done": commerce.ShipmentSent, "lost": commerce.ShipmentUnknown,
	} {
		got := wirePicking{State: state, Carrier: relation{ID: 1, Name: "Ground"}, Tracking: "1Z", Done: moment{at}}.shipment()
		assert.Equal(t, want, got.State, "%s", state)
		assert.Equal(t, "Ground 1Z", got.Carrier+" "+got.Tracking)
		assert.Equal(t, state == "done", got.SentAt.Equal(at), "%s", state)
	}
	for link, want := range map[text]string{
		"https://t.example.test/1Z": "https://t.example.test/1Z", "http://t.example.test/?n=1Z": "http://t.example.test/?n=1Z",
		"": "", "javascript:alert(1)": "", "/1Z": "", `[["1Z", "https://t.example.test/1Z"]]`: "", "https://": "",
	} {
		assert.Equal(t, want, wirePicking{Link: link}.shipment().TrackingURL, "%s", link)
	}
}

func TestStatusFollowsTransfers(t *testing.T) {
	t.Parallel()
	pickings := map[recordID]wirePicking{
		1: {ID: 1, State: "done", Kind: "outgoing", Tracking: "1Z"},
		2: {ID: 2, State: "assigned", Kind: "outgoing"},
		3: {ID: 3, State: "cancel", Kind: "outgoing"},
		4: {ID: 4, State: "done", Kind: "incoming"},
	}
	for _, c := range []struct {
		state    text
		pickings []recordID
		want     commerce.OrderStatus
		parcels  int
	}{
		{"draft", nil, commerce.OrderPending, 0},
		{"sent", nil, commerce.OrderPending, 0},
		{"sale", nil, commerce.OrderConfirmed, 0},
		{"sale", []recordID{2}, commerce.OrderConfirmed, 1},
		{"sale", []recordID{1, 2}, commerce.OrderShipped, 2},
		{"sale", []recordID{1, 3, 4}, commerce.OrderDelivered, 1},
		{"done", []recordID{1}, commerce.OrderDelivered, 1},
		{"done", []recordID{4}, commerce.OrderConfirmed, 0},
		{"cancel", []recordID{1}, commerce.OrderCancelled, 1},
		{"paused", []recordID{1}, commerce.OrderUnknown, 1},
		{"sale", []recordID{99}, commerce.OrderConfirmed, 0},
	} {
		status, parcels := progress(wireOrder{State: c.state, Pickings: c.pickings}, pickings)
		assert.Equal(t, c.want, status, "%+v", c)
		assert.Len(t, parcels, c.parcels, "%+v", c)
	}
}
