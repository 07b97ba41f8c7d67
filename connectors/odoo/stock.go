package odoo

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/portico-bff/portico/schema/commerce"
)

// maxPieces bounds what one place is said to hold.
const maxPieces = 1_000_000_000

// records is what each record of product.product has where: those of the products that were asked for, and
// whatever else was found with them. One that has nothing is not there.
type records struct {
	places []place // by product and location, each pair once
}

// place is what a location holds of one product.
type place struct {
	product, location recordID

	name  string   // as the quant names the location
	whole int64    // pieces that came as whole numbers
	rest  *big.Rat // what else there is; nil for nothing
}

// joinQuants adds quants up by product and location. It keeps nothing of the list.
func joinQuants(op commerce.Operation, quants []wireQuant) (*records, error) {
	held := make([]place, 0, len(quants))
	for _, i := range inPlaces(quants) {
		q := &quants[i]
		if n := len(held); n == 0 || held[n-1].product != q.Product.ID || held[n-1].location != q.Location.ID {
			held = append(held, place{product: q.Product.ID, location: q.Location.ID, name: q.Location.Name})
		}
		if !held[len(held)-1].add(q) {
			return nil, badAnswer(op, errWire)
		}
	}
	return &records{held}, nil
}

// inPlaces is the order of quants by product, location and id. The numbers are sorted because quants are large.
func inPlaces(quants []wireQuant) []int32 {
	order := make([]int32, len(quants))
	for i := range order {
		order[i] = int32(i) //nolint:gosec // an answer has not so many rows
	}
	slices.SortFunc(order, func(i, j int32) int {
		a, b := &quants[i], &quants[j]
		if n := cmp.Compare(a.Product.ID, b.Product.ID); n != 0 {
			return n
		}
		if n := cmp.Compare(a.Location.ID, b.Location.ID); n != 0 {
			return n
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return order
}

// of is where the record of a product is; r may be nil, which has nothing.
func (r *records) of(id recordID) []place {
	if r == nil {
		return nil
	}
	begin, _ := slices.BinarySearchFunc(r.places, id, func(p place, id recordID) int { return cmp.Compare(p.product, id) })
	end := begin
	for end < len(r.places) && r.places[end].product == id {
		end++
	}
	return r.places[begin:end]
}

// mostWhole bounds what is added up as whole pieces: beyond it the exact sum goes on.
const mostWhole = 1_000_000_000_000_000

// add adds what a quant holds freely; it tells whether its numbers are any. Whole
// pieces, which nearly all are, are added as such.
func (p *place) add(q *wireQuant) bool {
	whole := q.Quantity.other == "" && q.Reserved.other == ""
	if sum := p.whole + q.Quantity.whole - q.Reserved.whole; whole && sum < mostWhole && sum > -mostWhole {
		p.whole = sum
		return q.Quantity.there && q.Reserved.there
	}
	exact, known := q.Quantity.exact()
	less, alsoKnown := q.Reserved.exact()
	if !known || !alsoKnown {
		return false
	}
	if p.rest == nil {
		p.rest = new(big.Rat)
	}
	p.rest.Add(p.rest, exact.Sub(exact, less))
	return true
}

// free is what is there, exactly.
func (p *place) free() *big.Rat {
	sum := new(big.Rat).SetInt64(p.whole)
	if p.rest != nil {
		sum.Add(sum, p.rest)
	}
	return sum
}

// pieces is what is there as whole pieces, 0 or more.
func (p *place) pieces() int {
	if p.rest == nil {
		return int(min(max(p.whole, 0), maxPieces))
	}
	return pieces(p.free())
}

// pieces is a quantity as whole pieces, 0 or more.
func pieces(quantity *big.Rat) int {
	if quantity.Sign() <= 0 {
		return 0
	}
	whole := new(big.Int).Quo(quantity.Num(), quantity.Denom())
	if !whole.IsInt64() {
		return maxPieces
	}
	return int(min(whole.Int64(), maxPieces))
}
