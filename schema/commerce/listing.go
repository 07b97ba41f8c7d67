package commerce

import "context"

// Listing names everything that is published, part by part, for clients that keep a copy. What it answers is
// never kept nor shared between callers: one that was begun earlier would miss what has been published since.
type Listing interface {
	// SKUs answers up to first SKUs, 1 to [MaxBatch], of the published products that come behind after in the system's
	// ascending order, each once; an empty after is the beginning. An empty answer is the end, a short one need not be.
	SKUs(ctx context.Context, m Market, after SKU, first int) ([]SKU, error)
	// PageIDs answers the ids of the published pages of content in the same way.
	PageIDs(ctx context.Context, m Market, after PageID, first int) ([]PageID, error)
}
