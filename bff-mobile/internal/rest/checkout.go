package rest

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/screen"
	"github.com/portico-bff/portico/edge/idempotency"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/schema/commerce"
)

func (a *API) shippingOptions(c *fiber.Ctx) error {
	id, err := cartID(c)
	if err != nil {
		return err
	}
	var in api.ShippingOptionsRequest
	if err := body(c, "shippingOptions", &in); err != nil {
		return err
	}
	to := address(in.Address)
	if err := to.Validate("address"); err != nil {
		return err
	}
	return a.write(c, change{operation: "shippingOptions", cart: id, reads: true, run: func(ctx context.Context, s commerce.Shopper) (int, any, error) {
		options, err := a.Ports.CheckoutOptions.ShippingOptions(ctx, s, id, to)
		if err != nil {
			return 0, nil, err
		}
		return fiber.StatusOK, screen.ShippingOptions(options, s.Market.Locale), nil
	}})
}

func (a *API) setShipping(c *fiber.Ctx) error {
	id, err := cartID(c)
	if err != nil {
		return err
	}
	var in api.SetShipping
	if err := body(c, "setShipping", &in); err != nil {
		return err
	}
	choice, err := shippingChoice(in)
	if err != nil {
		return err
	}
	return a.write(c, edit("setShipping", id, func(ctx context.Context, s commerce.Shopper) (*commerce.Cart, error) {
		return a.Ports.CheckoutOptions.SetShipping(ctx, s, id, choice)
	}))
}

func shippingChoice(in api.SetShipping) (commerce.ShippingChoice, error) {
	choice := commerce.ShippingChoice{Shipping: address(in.ShippingAddress), Code: in.MethodCode}
	var err error
	if choice.Email, err = commerce.ParseEmail("email", in.Email); err != nil {
		return choice, err
	}
	if err := choice.Shipping.Validate("shippingAddress"); err != nil {
		return choice, err
	}
	if in.BillingAddress.Country != "" || in.BillingAddress.Street != nil {
		billing := address(in.BillingAddress)
		choice.Billing = &billing
		if err := billing.Validate("billingAddress"); err != nil {
			return choice, err
		}
	}
	return choice, nil
}

func address(a api.AddressInput) commerce.Address {
	return commerce.Address{
		FirstName: a.FirstName, LastName: a.LastName, Company: a.Company, Street: a.Street, City: a.City,
		Region: a.Region, Postcode: a.Postcode, Country: a.Country, Phone: a.Phone,
	}
}

func (a *API) placeOrder(c *fiber.Ctx) error {
	id, err := cartID(c)
	if err != nil {
		return err
	}
	key := c.Get(idempotency.Header)
	var in api.PlaceOrder
	if err := body(c, "placeOrder", &in); err != nil {
		return err
	}
	retryAfter := time.Duration(0)
	err = a.write(c, change{operation: "placeOrder", cart: id, run: func(ctx context.Context, s commerce.Shopper) (int, any, error) {
		placed, err := a.Orders.Place(ctx, ordering.Request{Shopper: s, Cart: id, PaymentMethod: in.PaymentMethod, Key: key})
		if unknown, ok := errors.AsType[*ordering.UnknownError](err); ok {
			retryAfter = max(unknown.RetryAfter, time.Second)
			return fiber.StatusAccepted, api.PendingOrder{State: api.PendingOrderStateUNKNOWN, RetryAfterMs: int(retryAfter.Milliseconds())}, nil
		}
		if err != nil {
			return 0, nil, err
		}
		return fiber.StatusCreated, api.PlacedOrder{
			Number: string(placed.Number), PlacedAt: placed.PlacedAt.UTC(), PlacedOn: screen.Day(placed.PlacedAt, s.Market.Locale), Total: screen.Money(placed.Total, s.Market.Locale),
			Email: placed.Email, OrderToken: placed.OrderToken,
		}, nil
	}})
	if retryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int((retryAfter+time.Second-1)/time.Second)))
	}
	return err
}
