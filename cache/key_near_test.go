package cache

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/portico-bff/portico/schema/commerce"
)

// Two questions drawn apart differ in everything: these differ in one thing, or in where
// one text ends and the next begins.
func TestC18_QuestionsThatDifferInOneThing(t *testing.T) {
	t.Parallel()
	word := rapid.SampledFrom([]string{"", "a", "b", "ab", "\x01a", "1"})
	changes := []func(q *Question, w string){
		func(q *Question, w string) { q.Channel = w },
		func(q *Question, w string) { q.Market.Channel = w },
		func(q *Question, w string) { q.Market.Locale = w },
		func(q *Question, w string) { q.Market.Currency = w },
		func(q *Question, w string) { q.Market.Country = w },
		func(q *Question, w string) { q.Group = commerce.PriceGroup(w) },
		func(q *Question, w string) { q.Form = w },
		func(q *Question, w string) { q.Letters = lettersOrNone(w) },
		func(q *Question, _ string) {
			q.Letters, q.Text = lettersOrNone(q.Text[len(q.Text)-1]), q.Text[:len(q.Text)-1]
		},
		func(q *Question, w string) { q.Text = append([]string{w}, q.Text...) },
		func(q *Question, w string) { q.Text = append([]string{q.Text[0] + w}, q.Text[1:]...) },
		func(q *Question, _ string) { q.Text = append([]string{q.Text[0] + q.Text[1]}, q.Text[2:]...) },
		func(q *Question, _ string) { q.Form, q.Text = q.Form+q.Text[0], q.Text[1:] },
		func(q *Question, _ string) { q.Channel, q.Market.Channel = q.Channel+q.Market.Channel, "" },
		func(q *Question, _ string) {
			q.Market.Locale, q.Market.Currency = "", q.Market.Locale+q.Market.Currency
		},
		func(q *Question, _ string) {
			q.Market.Country, q.Group = string(q.Group), commerce.PriceGroup(q.Market.Country)
		},
	}
	alike, apart := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		p := Question{
			Channel: word.Draw(r, "channel"), Text: rapid.SliceOfN(word, 2, 4).Draw(r, "text"),
			Market: commerce.Market{Channel: word.Draw(r, "c"), Locale: word.Draw(r, "l"), Currency: word.Draw(r, "m"), Country: word.Draw(r, "n")},
			Group:  commerce.PriceGroup(word.Draw(r, "group")), Form: word.Draw(r, "form"),
		}
		for _, change := range changes {
			q := p
			change(&q, word.Draw(r, "word"))
			same := fmt.Sprintf("%#v", p) == fmt.Sprintf("%#v", q)
			if same != (p.key() == q.key()) {
				r.Fatalf("%#v and %#v", p, q)
			}
			if same {
				alike++
			} else {
				apart++
			}
		}
	})
	assert.Positive(t, alike)
	assert.Positive(t, apart)
}
