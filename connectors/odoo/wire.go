package odoo

import (
	"errors"
	"slices"
)

// The records that are read, each with the fields to ask for.

// wireProduct is what an order's product is called.
type wireProduct struct {
	ID   recordID `json:"id"`
	Code text     `json:"default_code"`
	Name text     `json:"name"`
}

func (w wireProduct) check() error { return w.ID.check() }

var (
	productFields = []string{"default_code", "name"}
	priceFields   = []string{"default_code", "product_tmpl_id", "categ_id", "currency_id", "sale_ok", "lst_price"}
	costFields    = append(slices.Clip(priceFields), "standard_price")
)

type wirePrice struct {
	ID       recordID `json:"id"`
	Code     text     `json:"default_code"`
	Template link     `json:"product_tmpl_id"`
	Category link     `json:"categ_id"`
	Currency relation `json:"currency_id"`
	Sellable bool     `json:"sale_ok"`
	Price    number   `json:"lst_price"`
	Standard number   `json:"standard_price"`
}

func (w wirePrice) check() error { return errors.Join(w.ID.check(), w.Price.check()) }

type wirePriceList struct {
	ID       recordID `json:"id"`
	Currency relation `json:"currency_id"`
}

func (w wirePriceList) check() error { return w.ID.check() }

type wireRule struct {
	ID          recordID `json:"id"`
	AppliedOn   string   `json:"applied_on"`
	Compute     string   `json:"compute_price"`
	Base        text     `json:"base"`
	BaseList    relation `json:"base_pricelist_id"`
	Category    relation `json:"categ_id"`
	Template    relation `json:"product_tmpl_id"`
	Product     relation `json:"product_id"`
	MinQuantity number   `json:"min_quantity"`
	Fixed       number   `json:"fixed_price"`
	Percent     number   `json:"percent_price"`
	Discount    number   `json:"price_discount"`
	Surcharge   number   `json:"price_surcharge"`
	Round       number   `json:"price_round"`
	MinMargin   number   `json:"price_min_margin"`
	MaxMargin   number   `json:"price_max_margin"`
	Start       moment   `json:"date_start"`
	End         moment   `json:"date_end"`
}

func (w wireRule) check() error { return errors.Join(w.ID.check(), w.MinQuantity.check()) }

var ruleFields = []string{
	"applied_on", "compute_price", "base", "base_pricelist_id", "categ_id", "product_tmpl_id", "product_id",
	"min_quantity", "fixed_price", "percent_price", "price_discount", "price_surcharge", "price_round",
	"price_min_margin", "price_max_margin", "date_start", "date_end",
}

type wireCurrency struct {
	ID   recordID `json:"id"`
	Name text     `json:"name"`
	Rate number   `json:"rate"`
}

func (w wireCurrency) check() error { return errors.Join(w.ID.check(), w.Rate.check()) }

type wireCategory struct {
	ID       recordID `json:"id"`
	Parent   relation `json:"parent_id"`
	FullName text     `json:"complete_name"`
}

func (w wireCategory) check() error { return w.ID.check() }

type wireQuant struct {
	ID       recordID `json:"id"`
	Product  link     `json:"product_id"`
	Location relation `json:"location_id"`
	Quantity quantity `json:"quantity"`
	Reserved quantity `json:"reserved_quantity"`
}

func (w wireQuant) check() error {
	return errors.Join(w.ID.check(), w.Product.check(), w.Location.check(), w.Quantity.check(), w.Reserved.check())
}

type wireLocation struct {
	ID   recordID `json:"id"`
	Name text     `json:"name"`
}

func (w wireLocation) check() error { return w.ID.check() }

type wirePartner struct {
	ID    recordID `json:"id"`
	Email text     `json:"email"`
	Type  text     `json:"type"`
}

func (w wirePartner) check() error { return w.ID.check() }
