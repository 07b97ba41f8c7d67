package world

import (
	"fmt"
	"strings"

	"github.com/bojanz/currency"
)

// rates turn USD into the other currencies. They are fixed: prices must be the same in every run.
var rates = map[string]string{"USD": "1", "EUR": "0.92", "GBP": "0.79"}

// loadPrices computes each sold product's list price in every currency once.
func (f *facts) loadPrices() error {
	f.breaks = map[string][]Break{Retail: nil, Wholesale: wholesaleBreaks}
	f.listPrices = map[string]map[int]currency.Amount{}
	for _, code := range f.Currencies() {
		prices := make(map[int]currency.Amount, len(f.products))
		for _, p := range f.products {
			if !p.Published {
				continue
			}
			price, ok := f.Convert(p.ListPrice, code)
			if !ok {
				return fmt.Errorf("list price of product %d in %s", p.ID, code)
			}
			prices[p.ID] = price
		}
		f.listPrices[code] = prices
	}
	return nil
}

// shipCodes gives the data's ship methods the checkout's codes.
var shipCodes = map[int]string{
	1: "xrq_ground", 2: "zy_express", 3: "overseas_deluxe", 4: "jfast_overnight", 5: "cargo_transport",
}

func (f *facts) loadShipMethods() error {
	return eachRow("ShipMethod", func(t *table) {
		id := t.number("ShipMethodID")
		f.shipMethods = append(f.shipMethods, ShipMethod{
			ID: id, Code: shipCodes[id], Title: t.text("Name"),
			Base: plain(t.text("ShipBase")), Rate: plain(t.text("ShipRate")),
		})
	})
}

// plain writes the data's decimals as people do: ".9900" → "0.99", "14.0000" → "14".
func plain(decimal string) string {
	if strings.Contains(decimal, ".") {
		decimal = strings.TrimRight(strings.TrimRight(decimal, "0"), ".")
	}
	if decimal == "" || strings.HasPrefix(decimal, ".") {
		decimal = "0" + decimal
	}
	return decimal
}

// loadTaxes reads the rates that retail buyers pay. Countries other than those that tax by state have one rate.
func (f *facts) loadTaxes() error {
	states, err := loadStates()
	if err != nil {
		return err
	}
	const wholesaleOnly = 2
	f.taxes = map[string]string{}
	return eachRow("SalesTaxRate", func(t *table) {
		if t.number("TaxType") == wholesaleOnly {
			return
		}
		state := states[t.number("StateProvinceID")]
		f.taxes[taxKey(state.country, state.code)] = plain(t.text("TaxRate"))
	})
}

// taxKey names the area that has a rate of its own.
func taxKey(country, regionCode string) string {
	if country == "US" || country == "CA" {
		return country + "-" + regionCode
	}
	return country
}

type state struct{ code, name, country string }

func loadStates() (map[int]state, error) {
	states := map[int]state{}
	return states, eachRow("StateProvince", func(t *table) {
		states[t.number("StateProvinceID")] = state{
			code: t.text("StateProvinceCode"), name: t.text("Name"), country: t.text("CountryRegionCode"),
		}
	})
}
