package pimcore

import (
	"context"
	"math"
	"slices"

	"github.com/portico-bff/portico/schema/commerce"
)

// Reviews implements [commerce.Reviews].
func (c *connector) Reviews(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.ReviewSummary, error) {
	return byKey(ctx, query[commerce.SKU, wireReviewed, *commerce.ReviewSummary]{
		connector: c, op: commerce.OpReviews, column: "sku",
		key: func(w *wireReviewed) commerce.SKU { return commerce.SKU(w.SKU) }, show: summary, rooms: &reviewed,
	}, skus)
}

// summary leaves out members that the workspace hides and ratings that are none. It puts w's reviews in order.
func summary(w *wireReviewed) *commerce.ReviewSummary {
	s := &commerce.ReviewSummary{SKU: commerce.SKU(w.SKU)}
	rated := slices.DeleteFunc(w.Reviews, func(r wireReview) bool { return r.Rating < 1 || r.Rating > 5 })
	if s.Count = len(rated); s.Count == 0 {
		return s
	}
	sum := 0
	for i := range rated {
		sum += rated[i].Rating
		s.Ratings[rated[i].Rating-1]++
	}
	s.Average = math.Round(100*float64(sum)/float64(s.Count)) / 100
	slices.SortStableFunc(rated, func(a, b wireReview) int { return seconds(b.Date).Compare(seconds(a.Date)) })
	s.Reviews = make([]commerce.Review, min(s.Count, commerce.MaxReviews))
	for i := range s.Reviews {
		r := &rated[i]
		s.Reviews[i] = commerce.Review{ID: r.ID, Author: r.Author, Rating: r.Rating, Body: r.Body, CreatedAt: seconds(r.Date)}
	}
	return s
}
