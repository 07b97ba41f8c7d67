package commerce

import (
	"context"
	"time"
)

// MaxReviews is how many reviews a [ReviewSummary] carries at most.
const MaxReviews = 20

// ReviewSummary is what shoppers say of a product.
type ReviewSummary struct {
	SKU     SKU
	Count   int      // all reviews
	Average float64  // 1 to 5, two places; 0 when there is none
	Ratings [5]int   // how many reviews gave 1 star, 2 stars, … 5 stars; they add up to Count
	Reviews []Review // newest first, at most MaxReviews
}

// Review is one shopper's opinion. It never carries an e-mail address.
type Review struct {
	ID        string
	Author    string
	Rating    int // 1 to 5
	Body      string
	CreatedAt time.Time
}

// Reviews holds shoppers' opinions.
type Reviews interface {
	// Reviews answers a summary for each known product among skus; a product that
	// nobody reviewed is present with Count 0.
	Reviews(ctx context.Context, m Market, skus []SKU) (map[SKU]*ReviewSummary, error)
}
