package odoo

import (
	"slices"
	"sync"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// snapshot is what the ERP knows of orders at a moment.
type snapshot struct {
	world      *world.World
	orders     []*world.Order
	byID       map[int]*world.Order
	byNumber   map[string]*world.Order
	byPartner  map[int][]*world.Order
	cancelled  map[int]bool
	guests     []string       // e-mails of guests, in the order they first bought
	guestIndex map[string]int // places in guests
}

// snapshots keeps the last snapshot until orders were added, moved or reset.
type snapshots struct {
	mu   sync.Mutex
	last *snapshot
}

func (d *dialect) snapshot() *snapshot {
	orders := d.world.SyncedOrders()
	d.kept.mu.Lock()
	defer d.kept.mu.Unlock()
	if s := d.kept.last; s == nil || !slices.Equal(s.orders, orders) {
		d.kept.last = takeSnapshot(d.world, orders)
	}
	return d.kept.last
}

// oneInIsCancelled is how many past orders there are for each that was cancelled. A customer's first never was.
const oneInIsCancelled = 17

func takeSnapshot(w *world.World, orders []*world.Order) *snapshot {
	s := &snapshot{
		world: w, orders: orders, byID: map[int]*world.Order{}, byNumber: map[string]*world.Order{},
		byPartner: map[int][]*world.Order{}, cancelled: map[int]bool{}, guestIndex: map[string]int{},
	}
	bought := map[string]bool{}
	for _, o := range orders {
		s.byID[o.ID], s.byNumber[o.Number] = o, o
		s.cancelled[o.ID] = o.Progress == world.Cancelled
		if o.CustomerNumber == "" {
			if _, known := s.guestIndex[o.Email]; !known {
				s.guestIndex[o.Email] = len(s.guests)
				s.guests = append(s.guests, o.Email)
			}
			continue
		}
		s.cancelled[o.ID] = s.cancelled[o.ID] || o.Seeded && o.ID%oneInIsCancelled == 0 && bought[o.CustomerNumber]
		bought[o.CustomerNumber] = true
	}
	for _, o := range orders {
		partner := s.partnerOf(o).id
		s.byPartner[partner] = append(s.byPartner[partner], o)
	}
	return s
}

// rowsOf makes rows of every order.
func (s *snapshot) rowsOf(write func(*snapshot, *world.Order) []row) []row {
	var rows []row
	for _, o := range s.orders {
		rows = append(rows, write(s, o)...)
	}
	return rows
}

// rowsOfOne makes rows of the order with the id, if there is one.
func (s *snapshot) rowsOfOne(id int, write func(*snapshot, *world.Order) []row) []row {
	if o := s.byID[id]; o != nil {
		return write(s, o)
	}
	return nil
}

// rowsOfPartner makes rows of every order that is for the partner itself.
func (s *snapshot) rowsOfPartner(id int, write func(*snapshot, *world.Order) []row) []row {
	var rows []row
	for _, o := range s.byPartner[id] {
		rows = append(rows, write(s, o)...)
	}
	return rows
}
