package world

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// madeUpReviews is the first id of the reviews that the data does not have.
const madeUpReviews = 1000

// loadReviews reads the data's few reviews and makes up more for about half of the published products.
func (f *facts) loadReviews() error {
	f.reviews = map[int][]Review{}
	err := eachRow("ProductReview", func(t *table) {
		id := t.number("ProductID")
		f.reviews[id] = append(f.reviews[id], Review{
			ID: t.number("ProductReviewID"), ProductID: id, Author: t.text("ReviewerName"), Email: t.text("EmailAddress"),
			Rating: t.number("Rating"), Body: strings.ReplaceAll(t.text("Comments"), "\r\n", "\n"), At: t.date("ReviewDate"),
		})
	})
	next := madeUpReviews
	for _, p := range f.products {
		rnd := random(streamReviews, p.ID)
		if !p.Published || rnd.IntN(2) == 0 {
			continue
		}
		for range 1 + min(rnd.IntN(12), rnd.IntN(40)) + 15*(rnd.IntN(20)/19) {
			f.reviews[p.ID] = append(f.reviews[p.ID], reviewOf(p, next, rnd.IntN))
			next++
		}
	}
	for _, list := range f.reviews {
		slices.SortStableFunc(list, func(a, b Review) int { return b.At.Compare(a.At) })
	}
	return err
}

// ratings makes praise more likely than complaint, as it is.
var ratings = []int{5, 5, 5, 4, 4, 4, 4, 3, 3, 2, 1}

var (
	verdicts = map[int][]string{
		5: {"Exactly what I hoped for.", "Could not be happier with it.", "Best purchase this season."},
		4: {"Very good, with small reservations.", "Does what it says.", "Solid value for the price."},
		3: {"It is all right.", "Neither good nor bad.", "Good enough for short rides."},
		2: {"I expected more.", "Works, but feels cheap."},
		1: {"Sent it back.", "Not for me."},
	}
	details = []string{
		"The %s arrived quickly and well packed.", "I have used the %s for three months now, in all weathers.",
		"Fitting the %s took ten minutes.", "My partner wants the %s as well.", "The %s held up on a two-week tour.",
		"The finish of the %s is clean.",
	}
)

func reviewOf(p *Product, id int, intN func(int) int) Review {
	author := firstNames[intN(len(firstNames))] + " " + lastNames[intN(len(lastNames))]
	rating := ratings[intN(len(ratings))]
	verdict := verdicts[rating][intN(len(verdicts[rating]))]
	detail := fmt.Sprintf(details[intN(len(details))], p.Name)
	day := time.Duration(intN(700)) * 24 * time.Hour
	return Review{
		ID: id, ProductID: p.ID, Author: author, Rating: rating, Body: verdict + " " + detail,
		Email: fmt.Sprintf("reviewer%d@example.test", id),
		At:    time.Date(2023, 6, 1, 9, intN(600), 0, 0, time.UTC).Add(day),
	}
}
