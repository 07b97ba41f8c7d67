package magento_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/magento"
	dialect "github.com/portico-bff/portico/connectors/sandbox/magento"
	"github.com/portico-bff/portico/connectors/sandbox/spoiltest"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// TestN16_NoSpoiledAnswerIsTaken gives every call of every operation each answer that does not fit,
// to a customer and to a guest.
func TestN16_NoSpoiledAnswerIsTaken(t *testing.T) {
	t.Parallel()
	for _, guest := range []bool{false, true} {
		name := "customer"
		if guest {
			name = "guest"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spoiltest.Run(t, spoiltest.Connector{
				System: "magento", Name: dialect.Operation,
				Connect: func(base string, deps transport.Deps) (commerce.Ports, error) {
					cfg := config(base)
					cfg.MaxAttempts, cfg.NoHedge = 1, true
					return magento.New(cfg, deps)
				},
				Operations: shopping(guest),
				Inside: map[string]string{
					"an error":         `{"message":"` + spoiltest.Canary + `","trace":"#0"}`,
					"a fatal error":    `{"messages":{"error":[{"code":500,"message":"` + spoiltest.Canary + `"}]}}`,
					"a GraphQL answer": `{"data":{"cart":null},"errors":[{"message":"` + spoiltest.Canary + `"}]}`,
				},
				Unread: changesOnly,
				// What was placed is found by its cart when it cannot be read by its id.
				Spared: func(op commerce.Operation, call string) bool { return op == commerce.OpPlace && call == opOrder },
			})
		})
	}
}

// changesOnly tells of the writes after which the cart is read as it is then.
func changesOnly(call string) bool {
	if strings.HasPrefix(call, "GET ") {
		return false
	}
	for _, part := range []string{"/items", "/coupons", "/shipping-information"} {
		if strings.Contains(call, part) {
			return true
		}
	}
	return false
}

// stage is a shopper with a cart of theirs.
type stage struct {
	t       testing.TB
	f       commercetest.Fixture
	clean   commerce.Ports
	shopper commerce.Shopper
}

func (s *stage) filled() *commerce.Cart {
	cart, err := s.clean.Carts.Create(s.t.Context(), s.shopper)
	require.NoError(s.t, err)
	if len(cart.Lines) == 0 { // a customer has one cart, from the last time
		cart, err = s.clean.CartLines.AddLine(s.t.Context(), s.shopper, cart.ID, s.f.Products[0], 1)
		require.NoError(s.t, err)
	}
	return cart
}

func (s *stage) shipped() *commerce.Cart {
	cart := s.filled()
	options, err := s.clean.CheckoutOptions.ShippingOptions(s.t.Context(), s.shopper, cart.ID, s.f.Address)
	require.NoError(s.t, err)
	cart, err = s.clean.CheckoutOptions.SetShipping(s.t.Context(), s.shopper, cart.ID, s.choice(options[0].Code))
	require.NoError(s.t, err)
	return cart
}

func (s *stage) choice(code string) commerce.ShippingChoice {
	return commerce.ShippingChoice{Email: s.f.Email, Shipping: s.f.Address, Code: code}
}

func (s *stage) ready() commerce.CheckoutRef {
	ref, err := s.clean.Checkout.Prepare(s.t.Context(), s.shopper, s.shipped().ID)
	require.NoError(s.t, err)
	return ref
}

// spoiledCall is how an operation is called.
type spoiledCall = func(context.Context, commerce.Ports) error

// shopping are all operations, a guest's where guests can do it. Those that use up what
// was prepared for them prepare it again.
func shopping(guest bool) map[commerce.Operation]spoiltest.Operation {
	on := func(set func(*stage) spoiledCall, again bool) spoiltest.Operation {
		var ready spoiledCall
		return func(t testing.TB, clean commerce.Ports, f commercetest.Fixture) spoiledCall {
			if ready == nil || again {
				s := &stage{t: t, f: f, clean: clean, shopper: commerce.Shopper{Market: f.Market}}
				if !guest {
					s.shopper.Principal = f.Customer
				}
				ready = set(s)
			}
			return ready
		}
	}
	all := map[commerce.Operation]spoiltest.Operation{}
	for _, table := range []map[commerce.Operation]func(*stage) spoiledCall{carts, checkouts, placed} {
		for op, set := range table {
			all[op] = on(set, op == commerce.OpCartMerge || op == commerce.OpLineRemove || op == commerce.OpPlace)
		}
	}
	return all
}

var carts = map[commerce.Operation]func(*stage) spoiledCall{
	commerce.OpCartCreate: func(s *stage) spoiledCall {
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.Carts.Create(ctx, s.shopper)
			return err
		}
	},
	commerce.OpCartRead: func(s *stage) spoiledCall {
		cart := s.shipped()
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.Carts.Cart(ctx, s.shopper, cart.ID)
			return err
		}
	},
	commerce.OpCartMerge: func(s *stage) spoiledCall {
		s.shopper.Principal = commerce.Principal{}
		cart := s.filled()
		s.shopper.Principal = s.f.Customer
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.Carts.Merge(ctx, s.shopper, cart.ID)
			return err
		}
	},
	commerce.OpLineAdd: func(s *stage) spoiledCall {
		cart := s.filled()
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.CartLines.AddLine(ctx, s.shopper, cart.ID, s.f.Products[1], 1)
			return err
		}
	},
	commerce.OpLineSet: func(s *stage) spoiledCall {
		cart := s.filled()
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.CartLines.SetLine(ctx, s.shopper, cart.ID, cart.Lines[0].ID, 2)
			return err
		}
	},
	commerce.OpLineRemove: func(s *stage) spoiledCall {
		cart := s.filled()
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.CartLines.RemoveLine(ctx, s.shopper, cart.ID, cart.Lines[0].ID)
			return err
		}
	},
	commerce.OpCouponApply: func(s *stage) spoiledCall {
		cart := s.filled()
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.CartCoupons.ApplyCoupon(ctx, s.shopper, cart.ID, s.f.Coupon)
			return err
		}
	},
	commerce.OpCouponRemove: func(s *stage) spoiledCall {
		cart := s.filled()
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.CartCoupons.RemoveCoupon(ctx, s.shopper, cart.ID)
			return err
		}
	},
}

var checkouts = map[commerce.Operation]func(*stage) spoiledCall{
	commerce.OpShippingOptions: func(s *stage) spoiledCall {
		cart := s.filled()
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.CheckoutOptions.ShippingOptions(ctx, s.shopper, cart.ID, s.f.Address)
			return err
		}
	},
	commerce.OpShippingSet: func(s *stage) spoiledCall {
		cart := s.filled()
		options, err := s.clean.CheckoutOptions.ShippingOptions(s.t.Context(), s.shopper, cart.ID, s.f.Address)
		require.NoError(s.t, err)
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.CheckoutOptions.SetShipping(ctx, s.shopper, cart.ID, s.choice(options[0].Code))
			return err
		}
	},
	commerce.OpPrepare: func(s *stage) spoiledCall {
		cart := s.shipped()
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.Checkout.Prepare(ctx, s.shopper, cart.ID)
			return err
		}
	},
	commerce.OpPlace: func(s *stage) spoiledCall {
		ref := s.ready()
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.Checkout.Place(ctx, s.shopper, ref, s.f.Payment)
			return err
		}
	},
	commerce.OpReconcile: func(s *stage) spoiledCall {
		ref := s.ready()
		_, err := s.clean.Checkout.Place(s.t.Context(), s.shopper, ref, s.f.Payment)
		require.NoError(s.t, err)
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.Checkout.Reconcile(ctx, s.shopper, ref)
			return err
		}
	},
}

var placed = map[commerce.Operation]func(*stage) spoiledCall{
	commerce.OpOrders: func(s *stage) spoiledCall {
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.PlacedOrders.Orders(ctx, s.f.Customer, commerce.Cursor{First: 5})
			return err
		}
	},
	commerce.OpOrder: func(s *stage) spoiledCall {
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.PlacedOrders.Order(ctx, s.f.Customer, s.f.Order)
			return err
		}
	},
	commerce.OpGuestOrder: func(s *stage) spoiledCall {
		return func(ctx context.Context, p commerce.Ports) error {
			_, err := p.PlacedOrders.GuestOrder(ctx, s.f.Order)
			return err
		}
	},
}
