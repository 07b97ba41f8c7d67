package magento

import (
	"strconv"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// The events that the imitated shop has subscribed, and the fields of each.
type (
	eventData struct {
		Key   string `json:"key"`
		Value any    `json:"value"`
	}
	savedProduct struct {
		EntityID string      `json:"entity_id"`
		SKU      string      `json:"sku"`
		Name     string      `json:"name"`
		Price    string      `json:"price"`
		Stock    savedStatus `json:"quantity_and_stock_status"`
		Updated  string      `json:"updated_at"`
	}
	savedStatus struct {
		InStock  bool `json:"is_in_stock"`
		Quantity int  `json:"qty"`
	}
	placedOrder struct {
		IncrementID string       `json:"increment_id"`
		Items       []placedItem `json:"items"`
	}
	placedItem struct {
		SKU     string `json:"sku"`
		Ordered int    `json:"qty_ordered"`
	}
)

const eventPrefix = "com.adobe.commerce.observer."

// Notices are what Adobe Commerce Eventing tells of an event. The subscription to saved
// products is conditional: for those whose price or stock is another.
func Notices(w *world.World, e world.Event) []world.Notice {
	if e.Order != nil {
		order := placedOrder{IncrementID: e.Order.Number, Items: []placedItem{}}
		for _, line := range e.Order.Lines {
			order.Items = append(order.Items, placedItem{SKU: line.SKU, Ordered: line.Qty})
		}
		return []world.Notice{{Type: eventPrefix + "sales_order_place_after", Data: eventData{Key: e.Order.Number, Value: order}}}
	}
	saved := map[int]bool{}
	var notices []world.Notice
	save := func(p *world.Product) {
		if p == nil || saved[p.ID] {
			return
		}
		saved[p.ID] = true
		free := w.Free(p.ID)
		id := strconv.Itoa(p.ID)
		notices = append(notices, world.Notice{Type: eventPrefix + "catalog_product_save_commit_after", Data: eventData{Key: id, Value: savedProduct{
			EntityID: id, SKU: p.SKU, Name: p.Name, Price: p.ListPrice.Number(),
			Stock: savedStatus{InStock: free > 0, Quantity: free}, Updated: p.UpdatedAt.UTC().Format("2006-01-02 15:04:05"),
		}}})
	}
	for _, p := range e.Priced {
		save(p)
	}
	for _, id := range e.Stocked {
		save(w.Product(id))
	}
	return notices
}
