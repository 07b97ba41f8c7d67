package sandbox

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/bojanz/currency"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

const (
	longestName = 200
	mostStock   = 1_000_000
)

var pricePattern = regexp.MustCompile(`^[0-9]{1,6}(\.[0-9]{1,2})?$`)

// price is decimal text, sent as a string or as a number.
type price string

// UnmarshalJSON keeps the number as it was written.
func (p *price) UnmarshalJSON(data []byte) error {
	*p = price(strings.Trim(string(data), `"`))
	return nil
}

// postWorld changes a product, or a price group's discount, for all systems alike. Those
// that have it to tell others do so now.
func (s *Server) postWorld(r *http.Request) (any, error) {
	var sent struct {
		SKU   string  `json:"sku"`
		Price *price  `json:"price"`
		Stock *int    `json:"stock"`
		Name  *string `json:"name"`
		Group string  `json:"group"`
		Off   *int    `json:"percentOff"`
	}
	if err := decode(r, &sent); err != nil {
		return nil, err
	}
	if sent.Group != "" || sent.Off != nil {
		if sent.SKU != "" || sent.Price != nil || sent.Stock != nil || sent.Name != nil {
			return nil, &FieldError{Field: "group", Message: "must not be changed together with a product"}
		}
		return s.discounted(sent.Group, sent.Off)
	}
	var change world.Change
	switch {
	case sent.Price == nil && sent.Stock == nil && sent.Name == nil:
		return nil, &FieldError{Field: "", Message: "must hold a price, a stock or a name"}
	case sent.Name != nil && (strings.TrimSpace(*sent.Name) == "" || len(*sent.Name) > longestName):
		return nil, &FieldError{Field: "name", Message: "must be 1 to 200 bytes"}
	case sent.Stock != nil && (*sent.Stock < 0 || *sent.Stock > mostStock):
		return nil, &FieldError{Field: "stock", Message: "must be 0 to 1000000"}
	}
	change.Stock = sent.Stock
	if sent.Name != nil {
		change.Name = *sent.Name
	}
	if sent.Price != nil {
		amount, err := currency.NewAmount(string(*sent.Price), "USD")
		if err != nil || !pricePattern.MatchString(string(*sent.Price)) {
			return nil, &FieldError{Field: "price", Message: "must be US dollars such as 1199.00"}
		}
		change.Price = &amount
	}
	if !s.World.Change(sent.SKU, change) {
		return nil, &FieldError{Field: "sku", Message: "is not a product that is sold"}
	}
	return s.changed(sent.SKU), nil
}

// changedGroup is a price group as it is now.
type changedGroup struct {
	Group string `json:"group"`
	Off   int    `json:"percentOff"` // of list prices, from one piece on
}

func (s *Server) discounted(group string, percentOff *int) (any, error) {
	if percentOff == nil || *percentOff < 0 || *percentOff > 99 {
		return nil, &FieldError{Field: "percentOff", Message: "must be 0 to 99"}
	}
	if !s.World.Discount(group, *percentOff) {
		return nil, &FieldError{Field: "group", Message: "is not a price group that has discounts"}
	}
	return changedGroup{Group: group, Off: s.World.Breaks(group)[0].PercentOff}, nil
}

// changedProduct is a product as it is now.
type changedProduct struct {
	SKU   string `json:"sku"`
	Name  string `json:"name"`
	Price string `json:"price"` // the list price in USD
	Stock int    `json:"stock"`
}

func (s *Server) changed(sku string) changedProduct {
	p := s.World.BySKU(sku)
	return changedProduct{SKU: p.SKU, Name: p.Name, Price: p.ListPrice.Number(), Stock: s.World.Free(p.ID)}
}
