package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/99designs/gqlgen/graphql"

	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/bff-web/graph/model"
	"github.com/portico-bff/portico/bff-web/internal/caller"
	"github.com/portico-bff/portico/edge/idempotency"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/schema/commerce"
)

// cartPayload changes a cart. What the shopper can put right is in the payload,
// anything else is the field's error.
func cartPayload(ctx context.Context, change func(commerce.Shopper) (*commerce.Cart, error)) (*model.CartPayload, error) {
	cart, err := change(caller.Shopper(ctx))
	if refused := userErrors(err, "cartId"); refused != nil {
		return &model.CartPayload{UserErrors: refused}, nil
	}
	if err != nil {
		return nil, err
	}
	planAt(ctx, cartSKUs(cart), []string{"cart", "lines", "product"})
	return &model.CartPayload{Cart: cart, UserErrors: []model.UserError{}}, nil
}

// userErrors is what the caller can put right of err, or nil. A resource that is
// not there, or not the caller's, is blamed on the field that names it.
func userErrors(err error, resource string) []model.UserError {
	if input, ok := errors.AsType[*commerce.InputError](err); ok {
		return []model.UserError{userError(string(input.Code), input.Message, input.Field)}
	}
	switch {
	case errors.Is(err, commerce.ErrNotFound):
		return []model.UserError{userError(string(commerce.CodeUnknownCart), "there is no such cart", resource)}
	case errors.Is(err, commerce.ErrUnauthenticated):
		return []model.UserError{userError(string(commerce.CodeSignInRequired), "sign in first", "")}
	case errors.Is(err, commerce.ErrConflict):
		return []model.UserError{userError(string(commerce.CodeConflict), "the cart was changed at the same time", resource)}
	}
	return nil
}

func userError(code, message, field string) model.UserError {
	e := model.UserError{Code: code, Message: message}
	if field != "" {
		e.Field = &field
	}
	return e
}

// placeErrors is what the caller can put right of an order that was not placed,
// or perhaps was. The key is an input field here, not a header.
func placeErrors(err error) []model.UserError {
	refused := userErrors(err, "cartId")
	if refused == nil && errors.Is(err, commerce.ErrOutcomeUnknown) {
		refused = []model.UserError{userError(string(commerce.CodeOutcomeUnknown), "it is not known yet whether the order was placed; send the same idempotency key again", "")}
	}
	for i := range refused {
		if field := refused[i].Field; field != nil && *field == idempotency.Header {
			*field = "idempotencyKey"
		}
	}
	return refused
}

// placed is a finished order as the idempotency store keeps it.
type placed struct {
	Order model.PlacedOrder `json:"order"`
	Token string            `json:"token,omitempty"`
}

// place places an order once per key. An order that was refused leaves the key free.
func (r *Resolver) place(ctx context.Context, in generated.OrderPlaceInput) (*model.OrderPlacePayload, error) {
	shopper := caller.Shopper(ctx)
	// The key's scope is the caller; a guest is known by the cart's secret.
	request := idempotency.Request{Principal: shopper.Principal, Operation: "orderPlace", Key: in.IdempotencyKey}
	if shopper.Principal.Anonymous() {
		request.Guest = in.CartID
	}
	var err error
	request.Body, err = json.Marshal([]string{in.CartID, in.PaymentMethod})
	if err != nil {
		return nil, fmt.Errorf("order's input: %w", err)
	}
	answer, _, err := r.Idempotency.Do(ctx, request, func(ctx context.Context) (idempotency.Answer, error) {
		return r.placeOnce(ctx, ordering.Request{
			Shopper: shopper, Cart: commerce.CartID(in.CartID), PaymentMethod: in.PaymentMethod, Key: in.IdempotencyKey,
		})
	})
	if refused := placeErrors(err); refused != nil {
		return &model.OrderPlacePayload{UserErrors: refused}, nil
	}
	if err != nil {
		return nil, err
	}
	var done placed
	if err := json.Unmarshal(answer.Body, &done); err != nil {
		return nil, fmt.Errorf("remembered order: %w", err)
	}
	payload := &model.OrderPlacePayload{Order: &done.Order, UserErrors: []model.UserError{}}
	if done.Token != "" {
		payload.OrderToken = &done.Token
	}
	return payload, nil
}

func (r *Resolver) placeOnce(ctx context.Context, request ordering.Request) (idempotency.Answer, error) {
	order, err := r.Orders.Place(ctx, request)
	if err != nil {
		return idempotency.Answer{}, err
	}
	body, err := json.Marshal(placed{
		Order: model.PlacedOrder{Number: order.Number, PlacedAt: order.PlacedAt, Total: order.Total, Email: order.Email},
		Token: order.OrderToken,
	})
	return idempotency.Answer{Status: http.StatusOK, ContentType: "application/json", Body: body}, err
}

func shippingChoice(in generated.CartShippingSetInput) commerce.ShippingChoice {
	choice := commerce.ShippingChoice{Email: in.Email, Shipping: domainAddress(*in.ShippingAddress), Code: in.MethodCode}
	if billing := in.BillingAddress.Value(); billing != nil {
		a := domainAddress(*billing)
		choice.Billing = &a
	}
	return choice
}

func domainAddress(in generated.AddressInput) commerce.Address {
	return commerce.Address{
		FirstName: in.FirstName, LastName: in.LastName, Company: omitted(in.Company), Street: in.Street,
		City: in.City, Region: omitted(in.Region), Postcode: in.Postcode, Country: in.Country, Phone: omitted(in.Phone),
	}
}

// customer is the caller's profile, or nil when the CRM does not know the caller.
func (r *Resolver) customer(ctx context.Context) (*commerce.Customer, error) {
	l := load.From(ctx)
	t := tolerance(ctx)
	c, _, from, err := l.Customer.ReadUpTo(ctx, t.bound(), load.One{})
	c, err = orNull(c, err)
	return settle(ctx, t, c, load.Use{Op: commerce.OpCustomer, Path: graphql.GetPath(ctx), From: from, Err: err})
}

func cartSKUs(cart *commerce.Cart) []commerce.SKU {
	skus := make([]commerce.SKU, len(cart.Lines))
	for i, line := range cart.Lines {
		skus[i] = line.SKU
	}
	return skus
}

func orderedSKUs(orders ...*commerce.Order) []commerce.SKU {
	var skus []commerce.SKU
	for _, order := range orders {
		for _, line := range order.Lines {
			if line.SKU != "" {
				skus = append(skus, line.SKU)
			}
		}
	}
	return skus
}
