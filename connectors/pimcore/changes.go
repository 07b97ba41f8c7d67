package pimcore

import (
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// wireChange is what a listener on Pimcore's own events tells of an element.
// Pimcore sends nothing by itself; the listener that sends it is configured in
// the PIM. Everything but the class may be left out: then more is dropped.
type wireChange struct {
	ClassName string    `json:"className"` // "Product"; assets and folders have none
	ID        wireID    `json:"id"`        // of the object
	Key       string    `json:"key"`
	SKU       string    `json:"sku"`      // of a Product, and of the product that a Review is about
	Variants  *[]string `json:"variants"` // SKUs of a Product's siblings, which show its name
}

// wireID is an id, sent as a number or as text; empty when it is anything else.
type wireID string

// UnmarshalJSON reads what may be an id.
func (id *wireID) UnmarshalJSON(data []byte) error {
	*id = ""
	if text := strings.Trim(string(data), `"`); strings.Trim(text, "0123456789") == "" {
		*id = wireID(text)
	}
	return nil
}

// Changes maps an event of Pimcore (pimcore.dataobject.* and pimcore.asset.*, of
// the kinds postAdd, postUpdate and postDelete) to the tags of what it touched.
// A product whose SKU changed is two events: the old one's end and the new one.
func Changes(e commerce.ChangeEvent) ([]commerce.Tag, error) {
	kind, happened, _ := strings.Cut(strings.TrimPrefix(e.Type, "pimcore."), ".")
	switch happened {
	case "postAdd", "postUpdate", "postDelete":
	default:
		return nil, e.Unknown()
	}
	var change wireChange
	if err := e.Decode(&change); err != nil {
		return nil, err
	}
	switch {
	case !strings.HasPrefix(e.Type, "pimcore."):
		return nil, e.Unknown()
	case kind == "dataobject":
		return change.tags(), nil
	case kind == "asset" && happened == "postAdd":
		return nil, nil // nothing shows it before an object is saved that does
	case kind == "asset":
		return []commerce.Tag{commerce.TagSystem(system)}, nil // any object may show it
	default:
		return nil, e.Unknown()
	}
}

// tags are what an object of its class is part of.
func (c wireChange) tags() []commerce.Tag {
	switch c.ClassName {
	case "Product":
		return c.product()
	case "Category":
		tags := []commerce.Tag{commerce.TagCategories}
		if c.ID == "" {
			return append(tags, commerce.TagOperation(commerce.OpProducts))
		}
		return append(tags, commerce.TagCategory(commerce.CategoryID(c.ID)))
	case "Brand": // products show its name; which ones only the PIM knows
		return []commerce.Tag{commerce.TagOperation(commerce.OpProducts), commerce.TagOperation(commerce.OpRelated)}
	case "Review":
		if c.SKU == "" {
			return []commerce.Tag{commerce.TagOperation(commerce.OpReviews)}
		}
		return []commerce.Tag{commerce.TagReviews(commerce.SKU(c.SKU))}
	case "ContentPage":
		if c.Key == "" {
			return []commerce.Tag{commerce.TagOperation(commerce.OpPages)}
		}
		return []commerce.Tag{commerce.TagPage(commerce.PageID(c.Key))}
	default:
		return []commerce.Tag{commerce.TagSystem(system)}
	}
}

// product is what is read of a Product: its record, the products it is related to, which
// show it in turn, and its reviews, which are relations of it. The PIM knows neither prices nor stock.
func (c wireChange) product() []commerce.Tag {
	var tags []commerce.Tag
	if c.SKU == "" {
		tags = append(tags, commerce.TagOperation(commerce.OpRelated), commerce.TagOperation(commerce.OpReviews))
	} else {
		tags = append(tags, commerce.TagProduct(commerce.SKU(c.SKU)), commerce.TagReviews(commerce.SKU(c.SKU)))
	}
	if c.SKU == "" || c.Variants == nil {
		return append(tags, commerce.TagOperation(commerce.OpProducts))
	}
	for _, sku := range *c.Variants {
		tags = append(tags, commerce.TagProduct(commerce.SKU(sku)))
	}
	return tags
}
