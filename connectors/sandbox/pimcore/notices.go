package pimcore

import "github.com/portico-bff/portico/connectors/sandbox/world"

// savedObject is what the PIM's listener tells of an object that was saved.
type savedObject struct {
	ID        int      `json:"id"`
	ClassName string   `json:"className"`
	Key       string   `json:"key"`
	FullPath  string   `json:"fullPath"`
	Published bool     `json:"published"`
	Modified  int64    `json:"modificationDate"`
	SKU       string   `json:"sku"`
	Variants  []string `json:"variants"`
}

// Notices are what the PIM tells of an event: it knows names, and neither prices nor stock.
func Notices(w *world.World, e world.Event) []world.Notice {
	var notices []world.Notice
	for _, p := range e.Named {
		saved := savedObject{
			ID: productOffset + p.ID, ClassName: "Product", Key: p.SKU, FullPath: "/Products/" + p.SKU,
			Published: p.Published, Modified: p.UpdatedAt.Unix(), SKU: p.SKU, Variants: []string{},
		}
		for _, sibling := range w.Variants(p.ModelID) {
			if sibling.ID != p.ID {
				saved.Variants = append(saved.Variants, sibling.SKU)
			}
		}
		notices = append(notices, world.Notice{Type: "pimcore.dataobject.postUpdate", Data: saved})
	}
	return notices
}
