package pimcore

import (
	"context"
	"math"
	"slices"

	"github.com/portico-bff/portico/schema/commerce"
)

// Reviews implements [commerce.Reviews].
func (c *connector) Reviews(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.ReviewSummary, error) {
	found, err := byKey(ctx, query[commerce.SKU, wireReviewed]{
		connector: c, op: commerce.OpReviews, column: "sku",
		key: func(w *wireReviewed) commerce.SKU { return commerce.SKU(w.SKU) },
	}, skus)
	summaries := make(map[commerce.SKU]*commerce.ReviewSummary, len(found))
	for sku, w := range found {
		summaries[sku] = summary(w)
	}
	return summaries, err
}

// summary leaves out members that the workspace hides and ratings that are none.
func summary(w *wireReviewed) *commerce.ReviewSummary {
	s := &commerce.ReviewSummary{SKU: commerce.SKU(w.SKU)}
	sum := 0
	if len(w.Reviews) > 0 {
		s.Reviews = make([]commerce.Review, 0, len(w.Reviews))
	}
	for i := range w.Reviews {
		r := &w.Reviews[i]
		if r.Rating < 1 || r.Rating > 5 {
			continue
		}
		sum += r.Rating
		s.Ratings[r.Rating-1]++
		s.Reviews = append(s.Reviews, commerce.Review{
			ID: r.ID, Author: r.Author, Rating: r.Rating, Body: r.Body, CreatedAt: seconds(r.Date),
		})
	}
	s.Count = len(s.Reviews)
	if s.Count > 0 {
		s.Average = math.Round(100*float64(sum)/float64(s.Count)) / 100
	}
	slices.SortStableFunc(s.Reviews, func(a, b commerce.Review) int { return b.CreatedAt.Compare(a.CreatedAt) })
	s.Reviews = slices.Clip(s.Reviews[:min(s.Count, commerce.MaxReviews)])
	return s
}
