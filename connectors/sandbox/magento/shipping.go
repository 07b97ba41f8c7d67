package magento

import (
	"encoding/json"
	"math/big"
	"net/http"
	"strconv"
	"strings"

	"github.com/bojanz/currency"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// address is where a quote is sent or billed to.
type address struct {
	FirstName, LastName, Company string
	Street                       []string
	City, Postcode, Country      string
	RegionID                     int
	RegionCode, Region           string
	Phone                        string
}

// addressInput is an address as callers send it.
type addressInput struct {
	Region     string      `json:"region"`
	RegionID   json.Number `json:"region_id"`
	RegionCode string      `json:"region_code"`
	Country    string      `json:"country_id"`
	Street     []string    `json:"street"`
	Company    string      `json:"company"`
	Phone      string      `json:"telephone"`
	Postcode   string      `json:"postcode"`
	City       string      `json:"city"`
	FirstName  string      `json:"firstname"`
	LastName   string      `json:"lastname"`
	Email      string      `json:"email"`
}

// read turns input into an address. what names it in Magento's words.
func (in *addressInput) read(what string) (*address, error) {
	if countryIndex(in.Country) < 0 {
		return nil, notAddress(what, `Invalid value of "`+in.Country+`" provided for the countryId field.`)
	}
	a := &address{
		FirstName: in.FirstName, LastName: in.LastName, Company: in.Company, Street: in.Street, City: in.City,
		Postcode: in.Postcode, Country: in.Country, RegionCode: in.RegionCode, Region: in.Region, Phone: in.Phone,
	}
	for _, f := range []struct{ name, value string }{
		{"firstname", in.FirstName},
		{"lastname", in.LastName},
		{"street", strings.Join(in.Street, "")},
		{"city", in.City},
		{"postcode", in.Postcode},
	} {
		if f.value == "" {
			return nil, notAddress(what, `"`+f.name+`" is required. Enter and try again.`)
		}
	}
	return a, a.setRegion(in, what)
}

// setRegion finds the region where a country has regions, and refuses an
// unknown one without naming the field.
func (a *address) setRegion(in *addressInput, what string) error {
	if regionsOf(a.Country) == nil {
		return nil
	}
	if in.RegionID == "" && in.RegionCode == "" {
		return notAddress(what, `"regionId" is required. Enter and try again.`)
	}
	id, err := strconv.Atoi(in.RegionID.String())
	if in.RegionID != "" && err != nil {
		return badRequest("Error occurred during \"region_id\" processing.")
	}
	r, ok := findRegion(a.Country, id, in.RegionCode)
	if !ok {
		return badRequest("Unable to save address. Please check input data.")
	}
	a.RegionID, a.RegionCode, a.Region = r.ID, r.Code, r.Name
	return nil
}

func notAddress(what, why string) *fault {
	return badRequest("Please check the "+what+" address information. %1", why)
}

type addressWire struct {
	RegionID   int      `json:"region_id,omitempty"`
	RegionCode string   `json:"region_code,omitempty"`
	Region     string   `json:"region,omitempty"`
	Country    string   `json:"country_id"`
	Street     []string `json:"street"`
	Company    string   `json:"company,omitempty"`
	Phone      string   `json:"telephone,omitempty"`
	Postcode   string   `json:"postcode"`
	City       string   `json:"city"`
	FirstName  string   `json:"firstname"`
	LastName   string   `json:"lastname"`
	Email      string   `json:"email,omitempty"`
	SameAs     int      `json:"same_as_billing"`
	SaveInBook int      `json:"save_in_address_book"`
}

func (a *address) wire(email string) addressWire {
	return addressWire{
		RegionID: a.RegionID, RegionCode: a.RegionCode, Region: a.Region, Country: a.Country, Street: a.Street, Company: a.Company,
		Phone: a.Phone, Postcode: a.Postcode, City: a.City, FirstName: a.FirstName, LastName: a.LastName, Email: email,
	}
}

// method is a way to send a quote.
type method struct {
	carrier, code string
	world         world.ShipMethod
}

func (m *method) title() string { return carrierTitle(m.world) + " - " + methodTitle(m.world) }

// carrierTitle and methodTitle cut the world's title in two: "XRQ - TRUCK GROUND".
func carrierTitle(m world.ShipMethod) string {
	carrier, _, _ := strings.Cut(m.Title, " - ")
	return strings.TrimSpace(carrier)
}

func methodTitle(m world.ShipMethod) string {
	_, name, ok := strings.Cut(m.Title, " - ")
	if !ok {
		return "Standard"
	}
	return strings.TrimSpace(name)
}

// methodsTo answers how things can be sent to a country. The overseas carrier does not deliver at home.
func (s *shop) methodsTo(country string) []*method {
	var list []*method
	for _, m := range s.world.ShipMethods() {
		carrier, code, ok := strings.Cut(m.Code, "_")
		if !ok {
			code = carrier
		}
		if country == "US" && strings.Contains(m.Code, "overseas") {
			continue
		}
		list = append(list, &method{carrier: carrier, code: code, world: m})
	}
	return list
}

// gramsPer is what a product's weight is given in.
var gramsPer = map[string]*big.Rat{"lb": big.NewRat(45359237, 100000), "g": big.NewRat(1, 1), "kg": big.NewRat(1000, 1)}

// shippingPrice is the method's base and its rate for each begun kilogram.
func (s *shop) shippingPrice(q *quote, m world.ShipMethod) currency.Amount {
	grams := new(big.Rat)
	for _, it := range q.Items {
		weight, ok := new(big.Rat).SetString(it.Product.Weight)
		unit := gramsPer[strings.ToLower(strings.TrimSpace(it.Product.WeightUnit))]
		if !ok || unit == nil {
			continue
		}
		weight.Mul(weight, unit)
		grams.Add(grams, weight.Mul(weight, big.NewRat(int64(it.Qty), 1)))
	}
	kilos := new(big.Rat).Quo(grams, big.NewRat(1000, 1))
	whole := new(big.Int).Quo(kilos.Num(), kilos.Denom())
	if !kilos.IsInt() {
		whole.Add(whole, big.NewInt(1))
	}
	base, _ := currency.NewAmount(m.Base, "USD")
	rate, _ := currency.NewAmount(m.Rate, "USD")
	weighed, err := rate.Mul(whole.String())
	if err != nil {
		return zeroOf(q.Store.Currency)
	}
	price, ok := s.world.Convert(sum(base, weighed), q.Store.Currency)
	if !ok {
		return zeroOf(q.Store.Currency)
	}
	return price
}

type methodWire struct {
	Carrier      string      `json:"carrier_code"`
	Code         string      `json:"method_code"`
	CarrierTitle string      `json:"carrier_title"`
	Title        string      `json:"method_title"`
	Amount       json.Number `json:"amount"`
	BaseAmount   json.Number `json:"base_amount"`
	Available    bool        `json:"available"`
	Error        string      `json:"error_message"`
	ExclTax      json.Number `json:"price_excl_tax"`
	InclTax      json.Number `json:"price_incl_tax"`
}

func (s *shop) wireMethods(q *quote, country string) []methodWire {
	list := []methodWire{}
	if len(q.Items) == 0 {
		return list
	}
	for _, m := range s.methodsTo(country) {
		price := number(s.shippingPrice(q, m.world))
		list = append(list, methodWire{
			Carrier: m.carrier, Code: m.code, CarrierTitle: carrierTitle(m.world), Title: methodTitle(m.world),
			Amount: price, BaseAmount: price, Available: true, ExclTax: price, InclTax: price,
		})
	}
	return list
}

// estimateShipping needs no more of an address than the country.
func (s *shop) estimateShipping(c *call) (any, error) {
	var in struct {
		Address *addressInput `json:"address"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Address == nil {
		return nil, required("address")
	}
	return s.look(c, func(q *quote) (any, error) {
		if countryIndex(in.Address.Country) < 0 {
			return []methodWire{}, nil
		}
		return s.wireMethods(q, in.Address.Country), nil
	})
}

func (s *shop) shippingMethods(c *call) (any, error) {
	return s.look(c, func(q *quote) (any, error) {
		if q.Shipping == nil {
			return nil, badRequest("The shipping address is missing. Set the address and try again.")
		}
		return s.wireMethods(q, q.Shipping.Country), nil
	})
}

// setShippingInformation settles addresses and method, all or nothing.
func (s *shop) setShippingInformation(c *call) (any, error) {
	var in struct {
		Info *struct {
			Shipping *addressInput `json:"shipping_address"`
			Billing  *addressInput `json:"billing_address"`
			Carrier  string        `json:"shipping_carrier_code"`
			Method   string        `json:"shipping_method_code"`
		} `json:"addressInformation"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Info == nil {
		return nil, required("addressInformation")
	}
	return s.change(c, func(q *quote) (any, error) {
		if len(q.Items) == 0 {
			return nil, badRequest("The shipping method can't be set for an empty cart. Add an item to cart and try again.")
		}
		if in.Info.Shipping == nil {
			return nil, badRequest("The shipping address is missing. Set the address and try again.")
		}
		to, err := in.Info.Shipping.read("shipping")
		if err != nil {
			return nil, err
		}
		bill := to
		if in.Info.Billing != nil {
			if bill, err = in.Info.Billing.read("billing"); err != nil {
				return nil, err
			}
		}
		m := s.findMethod(to.Country, in.Info.Carrier, in.Info.Method)
		if m == nil {
			return nil, &fault{Status: http.StatusBadRequest, Message: "Carrier with such method not found: %1, %2", Parameters: []string{in.Info.Carrier, in.Info.Method}}
		}
		q.Shipping, q.Billing, q.Method = to, bill, m
		if email := in.Info.Shipping.Email; email != "" {
			q.Email = email
		}
		return s.wireDetails(q), nil
	})
}

func (s *shop) findMethod(country, carrier, code string) *method {
	for _, m := range s.methodsTo(country) {
		if m.carrier == carrier && m.code == code {
			return m
		}
	}
	return nil
}

func (s *shop) getBillingAddress(c *call) (any, error) {
	return s.look(c, func(q *quote) (any, error) {
		if q.Billing == nil {
			return empty{}, nil
		}
		return q.Billing.wire(q.email()), nil
	})
}

func (s *shop) setBillingAddress(c *call) (any, error) {
	var in struct {
		Address *addressInput `json:"address"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Address == nil {
		return nil, required("address")
	}
	return s.change(c, func(q *quote) (any, error) {
		a, err := in.Address.read("billing")
		if err != nil {
			return nil, err
		}
		q.Billing = a
		return q.ID*2 + 1, nil
	})
}
