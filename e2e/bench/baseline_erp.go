package main

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"
)

// erp reads prices and stock from Odoo, as far as one list of prices in US dollars needs.
type erp struct {
	upstream *upstream

	mu      sync.Mutex
	rules   []erpRule
	expires time.Time
}

const (
	erpKey       = "bearer sandbox-odoo-key"
	recordsPath  = "/odoo/json/2/product.product/search_read"
	referenceFor = time.Minute
)

type erpQuery struct {
	Domain [][]any  `json:"domain"`
	Fields []string `json:"fields"`
	Order  string   `json:"order,omitempty"`
}

// ref is [id, name] or false.
type ref struct{ ID int64 }

func (r *ref) UnmarshalJSON(raw []byte) error {
	if string(raw) == "false" {
		return nil
	}
	var pair [2]json.RawMessage
	if err := json.Unmarshal(raw, &pair); err != nil {
		return err
	}
	return json.Unmarshal(pair[0], &r.ID)
}

type erpRecord struct {
	ID       int64       `json:"id"`
	SKU      string      `json:"default_code"`
	Template ref         `json:"product_tmpl_id"`
	Price    json.Number `json:"lst_price"`
	Sellable bool        `json:"sale_ok"`
}

type erpRule struct {
	AppliedOn string          `json:"applied_on"`
	Compute   string          `json:"compute_price"`
	Template  ref             `json:"product_tmpl_id"`
	Product   ref             `json:"product_id"`
	Min       json.Number     `json:"min_quantity"`
	Fixed     json.Number     `json:"fixed_price"`
	Percent   json.Number     `json:"percent_price"`
	Start     json.RawMessage `json:"date_start"`
	End       json.RawMessage `json:"date_end"`
}

var recordFields = []string{"default_code", "name", "product_tmpl_id", "categ_id", "currency_id", "sale_ok"}

func (e *erp) records(ctx context.Context, skus []string, fields []string) ([]erpRecord, error) {
	var rows []erpRecord
	query := erpQuery{Domain: [][]any{{"default_code", "in", skus}}, Fields: fields, Order: "id"}
	err := e.upstream.post(ctx, recordsPath, query, &rows, "Authorization", erpKey)
	return rows, err
}

// prices answers decimals by SKU.
func (e *erp) prices(ctx context.Context, skus []string) (map[string]string, error) {
	rules, err := e.reference(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := e.records(ctx, skus, append(slices.Clip(recordFields), "lst_price"))
	if err != nil {
		return nil, err
	}
	prices := make(map[string]string, len(rows))
	for _, row := range rows {
		if row.Sellable {
			prices[row.SKU], err = priced(row, rules)
		}
		if err != nil {
			return nil, err
		}
	}
	return prices, nil
}

func priced(row erpRecord, rules []erpRule) (string, error) {
	price, ok := new(big.Rat).SetString(string(row.Price))
	if !ok {
		return "", errors.New("not a price")
	}
	for _, r := range rules {
		if r.AppliedOn == "0_product_variant" && r.Product.ID != row.ID || r.AppliedOn == "1_product" && r.Template.ID != row.Template.ID {
			continue
		}
		if r.Compute == "fixed" {
			price, ok = new(big.Rat).SetString(string(r.Fixed))
		} else {
			percent, known := new(big.Rat).SetString(string(r.Percent))
			off := percent.Quo(percent, big.NewRat(100, 1))
			price, ok = price.Mul(price, off.Sub(big.NewRat(1, 1), off)), known
		}
		if !ok {
			return "", errors.New("not a price")
		}
		break
	}
	return price.FloatString(2), nil
}

// stock answers how many pieces there are by SKU, 0 of what is not known.
func (e *erp) stock(ctx context.Context, skus []string) (map[string]int, error) {
	rows, err := e.records(ctx, skus, recordFields)
	if err != nil {
		return nil, err
	}
	ids, skuOf := make([]int64, len(rows)), make(map[int64]string, len(rows))
	for i, row := range rows {
		ids[i], skuOf[row.ID] = row.ID, row.SKU
	}
	var quants []struct {
		Product  ref         `json:"product_id"`
		Location ref         `json:"location_id"`
		Quantity json.Number `json:"quantity"`
		Reserved json.Number `json:"reserved_quantity"`
	}
	query := erpQuery{
		Domain: [][]any{{"product_id", "in", ids}, {"location_id.usage", "=", "internal"}},
		Fields: []string{"product_id", "location_id", "quantity", "reserved_quantity"}, Order: "id",
	}
	if err := e.upstream.post(ctx, "/odoo/json/2/stock.quant/search_read", query, &quants, "Authorization", erpKey); err != nil {
		return nil, err
	}
	free := map[string]map[int64]*big.Rat{}
	for _, q := range quants {
		sku := skuOf[q.Product.ID]
		quantity, ok := new(big.Rat).SetString(string(q.Quantity))
		reserved, alsoOK := new(big.Rat).SetString(string(q.Reserved))
		if sku == "" || !ok || !alsoOK {
			continue
		}
		if free[sku] == nil {
			free[sku] = map[int64]*big.Rat{}
		}
		if free[sku][q.Location.ID] == nil {
			free[sku][q.Location.ID] = new(big.Rat)
		}
		sum := free[sku][q.Location.ID]
		sum.Add(sum, quantity.Sub(quantity, reserved))
	}
	found := make(map[string]int, len(skus))
	for _, sku := range skus {
		found[sku] = pieces(free[sku])
	}
	return found, nil
}

// pieces are the whole pieces of all places.
func pieces(free map[int64]*big.Rat) (total int) {
	for _, quantity := range free {
		total += max(0, int(new(big.Int).Quo(quantity.Num(), quantity.Denom()).Int64()))
	}
	return total
}

// reference is what hardly ever changes: the rules in force for one piece.
func (e *erp) reference(ctx context.Context) ([]erpRule, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Now().Before(e.expires) {
		return e.rules, nil
	}
	var all []erpRule
	query := erpQuery{Domain: [][]any{{"pricelist_id", "=", 1}, {"id", ">", 0}}, Fields: ruleFields, Order: "id"}
	if err := e.upstream.post(ctx, "/odoo/json/2/product.pricelist.item/search_read", rulesPage{query, 2000}, &all, "Authorization", erpKey); err != nil {
		return nil, err
	}
	e.rules, e.expires = inForce(all), time.Now().Add(referenceFor)
	return e.rules, nil
}

var ruleFields = []string{
	"applied_on", "compute_price", "base", "base_pricelist_id", "categ_id", "product_tmpl_id", "product_id",
	"min_quantity", "fixed_price", "percent_price", "price_discount", "price_surcharge", "price_round",
	"price_min_margin", "price_max_margin", "date_start", "date_end",
}

type rulesPage struct {
	erpQuery
	Limit int `json:"limit"`
}

// inForce are the rules for one piece today, the closest first.
func inForce(all []erpRule) []erpRule {
	now := time.Now().UTC().Format(`"2006-01-02 15:04:05"`)
	rules := slices.DeleteFunc(all, func(r erpRule) bool {
		least, ok := new(big.Rat).SetString(string(r.Min))
		early := string(r.Start) != "false" && now < string(r.Start)
		late := string(r.End) != "false" && now > string(r.End)
		return !ok || least.Cmp(big.NewRat(1, 1)) > 0 || early || late
	})
	slices.SortStableFunc(rules, func(a, b erpRule) int { return strings.Compare(a.AppliedOn, b.AppliedOn) })
	return rules
}
