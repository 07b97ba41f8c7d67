package rest

import (
	"errors"

	"github.com/portico-bff/portico/schema/commerce"
)

// listNames and writeNames are the parameters that stand for the domain's inputs
// where this channel calls them otherwise.
var (
	listNames = map[string]string{
		"text": "q", "filter": "facet", "filter.category": "category",
		"filter.priceMin": "priceMin", "filter.priceMax": "priceMax", "filter.inStock": "inStock",
	}
	writeNames = map[string]string{"cartId": "id"}
)

// named makes a refusal name the parameter that was sent.
func named(err error, names map[string]string) error {
	input, ok := errors.AsType[*commerce.InputError](err)
	if !ok || names[input.Field] == "" {
		return err
	}
	renamed := *input
	renamed.Field = names[input.Field]
	return errors.Join(&renamed, err) // the first decides what is said, the rest when to try again
}
