package pimcore

import "github.com/portico-bff/portico/connectors/sandbox/world"

// The listener is subscribed to what happens to objects.
const (
	added   = "pimcore.dataobject.postAdd"
	updated = "pimcore.dataobject.postUpdate" // publishing and unpublishing are updates
	deleted = "pimcore.dataobject.postDelete"
)

// savedObject is what the PIM's listener tells of an object that was saved.
type savedObject struct {
	ID        int    `json:"id"`
	ClassName string `json:"className"`
	Key       string `json:"key"`
	FullPath  string `json:"fullPath"`
	Published bool   `json:"published"`
	Modified  int64  `json:"modificationDate"`
}

// savedProduct is what it tells of a product beside.
type savedProduct struct {
	savedObject

	SKU      string   `json:"sku"`
	Variants []string `json:"variants"`
}

// Notices are what the PIM tells of an event: it knows texts, and neither prices nor stock.
func Notices(w *world.World, e world.Event) []world.Notice {
	var notices []world.Notice
	for _, saved := range e.Saved {
		kind := map[world.How]string{world.Added: added, world.Updated: updated, world.Removed: deleted}[saved.How]
		notices = append(notices, world.Notice{Type: kind, Data: told(w, saved)})
	}
	return notices
}

func told(w *world.World, saved world.Saved) any {
	switch {
	case saved.Page != nil:
		p := saved.Page
		return savedObject{
			ID: p.ID, ClassName: "ContentPage", Key: p.Key, FullPath: "/Pages/" + p.Key, Published: p.Published, Modified: p.UpdatedAt.Unix(),
		}
	case saved.Category != nil:
		c := saved.Category
		path := "/Categories/" + c.Key
		if parent := w.Category(c.ParentID); parent != nil {
			path = "/Categories/" + parent.Key + "/" + c.Key
		}
		return savedObject{ID: c.ID, ClassName: "Category", Key: c.Key, FullPath: path, Published: true, Modified: c.UpdatedAt.Unix()}
	default:
		p := saved.Product
		of := savedProduct{SKU: p.SKU, Variants: []string{}, savedObject: savedObject{
			ID: productOffset + p.ID, ClassName: "Product", Key: p.SKU, FullPath: "/Products/" + p.SKU, Published: p.Published, Modified: p.UpdatedAt.Unix(),
		}}
		for _, sibling := range w.Variants(p.ModelID) {
			if sibling.ID != p.ID {
				of.Variants = append(of.Variants, sibling.SKU)
			}
		}
		return of
	}
}
