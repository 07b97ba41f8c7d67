package magento

import (
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// wireEvent is the payload of Adobe Commerce Eventing: the fields of the record
// that the event's subscription names.
type wireEvent struct {
	Value *wireChanged `json:"value"`
}

type wireChanged struct {
	Number      string         `json:"increment_id"` // of an order; a shipment has one of its own
	SKU         string         `json:"sku"`          // of a product; a stock item has it only where the shop adds it
	Items       []*wireChanged `json:"items"`        // of an order
	SourceItems []*wireChanged `json:"source_items"` // of the multi-source inventory
}

// vendor is what Adobe I/O Events puts before the name of an event.
const vendor = "com.adobe.commerce."

// tagCustomers is what the connector itself keeps: which of the shop's customers a principal is.
const tagCustomers commerce.Tag = "magento.customers"

// changes is what each event touches. Events come before or after the record is
// committed; both say the same.
var changes = map[string]func(*wireChanged) []commerce.Tag{
	"observer.catalog_product_save":             productTags,
	"observer.catalog_product_delete":           productTags,
	"observer.cataloginventory_stock_item_save": stockTags,
	"observer.sales_order_place":                orderTags,
	"observer.sales_order_save":                 orderTags,
	"observer.sales_order_creditmemo_save":      someOrderTags,
	"observer.sales_order_shipment_save":        someOrderTags,
	"observer.catalog_category_save":            categoryTags,
	"observer.catalog_category_delete":          categoryTags,
	"observer.catalog_category_move":            categoryTags,
	"observer.catalogrule_rule_save":            priceTags,
	"observer.catalogrule_rule_delete":          priceTags,
	"observer.customer_save":                    customerTags,
	"observer.customer_delete":                  customerTags,
	"plugin.magento.inventory_api.api":          stockTags,
	"plugin.magento.catalog_inventory.api":      stockTags,
	"plugin.magento.inventory_sales_api.api":    stockTags,
	"plugin.magento.catalog.api.product_repo":   productTags,
}

// Changes maps an event of Adobe Commerce Eventing, with or without the vendor's
// prefix, to the tags of what it touched: the shop's own products and stock are
// what other systems hold under the same SKU. A payload without SKUs drops more.
func Changes(e commerce.ChangeEvent) ([]commerce.Tag, error) {
	tags := find(strings.TrimPrefix(e.Type, vendor))
	if tags == nil {
		return nil, e.Unknown()
	}
	var sent wireEvent
	if err := e.Decode(&sent); err != nil {
		return nil, err
	}
	if sent.Value == nil {
		return nil, e.Lacks("value")
	}
	return tags(sent.Value), nil
}

// find is what is known of an event: by its whole name but for the moment
// ("_after", "_commit_after"), or by the interface that a plugin event is of.
func find(name string) func(*wireChanged) []commerce.Tag {
	if known := changes[subject(name)]; known != nil {
		return known
	}
	for prefix, tags := range changes {
		if strings.HasPrefix(prefix, "plugin.") && strings.HasPrefix(name, prefix) {
			return tags
		}
	}
	return nil
}

// subject is an observer event's name without the moment it speaks of.
func subject(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, "_after"), "_commit")
}

// productTags are the product's name, links, price and stock: a save writes them all, and
// does not tell which of them changed.
func productTags(c *wireChanged) []commerce.Tag {
	if c.SKU == "" {
		return []commerce.Tag{
			commerce.TagOperation(commerce.OpProducts), commerce.TagOperation(commerce.OpRelated),
			commerce.TagOperation(commerce.OpPrices), commerce.TagOperation(commerce.OpAvailability),
		}
	}
	sku := commerce.SKU(c.SKU)
	return []commerce.Tag{commerce.TagProduct(sku), commerce.TagPrice(sku), commerce.TagStock(sku)}
}

func stockTags(c *wireChanged) []commerce.Tag {
	var tags []commerce.Tag
	for _, item := range append(append([]*wireChanged{c}, c.Items...), c.SourceItems...) {
		if item != nil && item.SKU != "" {
			tags = append(tags, commerce.TagStock(commerce.SKU(item.SKU)))
		}
	}
	if tags == nil || lackSKU(c.Items) || lackSKU(c.SourceItems) {
		return []commerce.Tag{commerce.TagOperation(commerce.OpAvailability)}
	}
	return tags
}

// orderTags are an order and the stock that it takes.
func orderTags(c *wireChanged) []commerce.Tag {
	if c.Number == "" {
		return someOrderTags(c)
	}
	return append(stockTags(c), commerce.TagOrder(commerce.OrderNumber(c.Number)))
}

// someOrderTags are the stock that an order takes, and every order that is watched: the event
// does not tell which.
func someOrderTags(c *wireChanged) []commerce.Tag {
	return append(stockTags(c), commerce.TagOperation(commerce.OpOrder), commerce.TagOperation(commerce.OpGuestOrder))
}

// lackSKU tells whether one of the items could be anything.
func lackSKU(items []*wireChanged) bool {
	for _, item := range items {
		if item == nil || item.SKU == "" {
			return true
		}
	}
	return false
}

func categoryTags(*wireChanged) []commerce.Tag { return []commerce.Tag{commerce.TagCategories} }

func priceTags(*wireChanged) []commerce.Tag {
	return []commerce.Tag{commerce.TagOperation(commerce.OpPrices)}
}

func customerTags(*wireChanged) []commerce.Tag { return []commerce.Tag{tagCustomers} }
