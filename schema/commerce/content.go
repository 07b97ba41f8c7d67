package commerce

import (
	"context"
	"time"
)

// Page is a page of editorial content, in one locale.
type Page struct {
	ID        PageID
	Title     string
	Body      string // plain text, paragraphs separated by blank lines
	Image     *Image // may be nil
	UpdatedAt time.Time
}

// Content holds editorial pages.
type Content interface {
	// Pages answers the published pages among ids in the market's locale.
	Pages(ctx context.Context, m Market, ids []PageID) (map[PageID]*Page, error)
}
