package load

import (
	"context"
	"encoding/json"

	"github.com/portico-bff/portico/schema/commerce"
)

// Question is what a port is asked that has no keys, as JSON: equal questions are equal keys.
type Question string

// QuestionOf writes what is asked.
func QuestionOf(what any) Question {
	text, _ := json.Marshal(what) // the domain's own types of texts, numbers and lists
	return Question(text)
}

// ShippingQuery asks for the ways to send a cart to an address.
type ShippingQuery struct {
	Cart commerce.CartID
	To   commerce.Address
}

// questions makes a batch of what asks one thing at a time.
func questions[Q, V any](ask func(context.Context, *request, Q) (V, error)) func(context.Context, *request, []Question) (map[Question]V, error) {
	return func(ctx context.Context, l *request, list []Question) (map[Question]V, error) {
		found := make(map[Question]V, len(list))
		for _, question := range list {
			var q Q
			if err := json.Unmarshal([]byte(question), &q); err != nil {
				return nil, err
			}
			v, err := ask(ctx, l, q)
			if err != nil {
				return nil, err // they are started one by one
			}
			found[question] = v
		}
		return found, nil
	}
}
