package elasticsearch

import "github.com/portico-bff/portico/connectors/sandbox/world"

// reindexed is what the indexer tells once documents can be found.
type reindexed struct {
	Index string   `json:"index"`
	IDs   []string `json:"ids"`
}

// Notices are what the indexer tells of an event. It follows what editors do; the
// stock that an order takes is in the index anyway.
func Notices(w *world.World, e world.Event) []world.Notice {
	if e.Order != nil {
		return nil
	}
	told := reindexed{Index: "products", IDs: []string{}}
	for _, p := range e.Changed() {
		told.IDs = append(told.IDs, p.SKU)
	}
	for _, id := range e.Stocked {
		if p := w.Product(id); p != nil {
			told.IDs = append(told.IDs, p.SKU)
		}
	}
	for _, saved := range e.Saved {
		if saved.Category != nil {
			told.IDs = append(told.IDs, below(w, saved.Category)...)
		}
	}
	if len(told.IDs) == 0 {
		return nil
	}
	return []world.Notice{{Type: "elasticsearch.index.updated", Data: told}}
}

// below are the documents that hold a category's name.
func below(w *world.World, c *world.Category) []string {
	var ids []string
	for _, p := range w.Products() {
		if of := categoryOf(w, p); p.Published && of != nil && (of.ID == c.ID || of.ParentID == c.ID) {
			ids = append(ids, p.SKU)
		}
	}
	return ids
}
