package cache

import (
	"context"

	"github.com/portico-bff/portico/schema/commerce"
)

// The decorators of what belongs to one principal: nothing is kept, a load under
// way is shared with that principal's other requests, and sources are reported.

type customers struct {
	next commerce.Customers
	op   *single[*commerce.Customer]
}

func (d customers) Customer(ctx context.Context, p commerce.Principal) (*commerce.Customer, error) {
	return d.op.get(ctx, ofPrincipal(p), "", func(ctx context.Context) (*commerce.Customer, error) {
		return d.next.Customer(ctx, p)
	})
}

type loyalty struct {
	next commerce.Loyalty
	op   *single[*commerce.LoyaltyAccount]
}

func (d loyalty) Loyalty(ctx context.Context, p commerce.Principal) (*commerce.LoyaltyAccount, error) {
	return d.op.get(ctx, ofPrincipal(p), "", func(ctx context.Context) (*commerce.LoyaltyAccount, error) {
		return d.next.Loyalty(ctx, p)
	})
}

type invoices struct {
	next commerce.Invoices
	op   *single[*commerce.InvoicePage]
}

func (d invoices) Invoices(ctx context.Context, p commerce.Principal, page commerce.Cursor) (*commerce.InvoicePage, error) {
	return d.op.get(ctx, ofPrincipal(p), cursorText(page), func(ctx context.Context) (*commerce.InvoicePage, error) {
		return d.next.Invoices(ctx, p, page)
	})
}

type orders struct {
	next  commerce.OrderHistory
	list  *single[*commerce.OrderPage]
	own   *single[*commerce.Order]
	guest *single[*commerce.Order]
}

func (d orders) Orders(ctx context.Context, p commerce.Principal, page commerce.Cursor) (*commerce.OrderPage, error) {
	return d.list.get(ctx, ofPrincipal(p), cursorText(page), func(ctx context.Context) (*commerce.OrderPage, error) {
		return d.next.Orders(ctx, p, page)
	})
}

func (d orders) Order(ctx context.Context, p commerce.Principal, number commerce.OrderNumber) (*commerce.Order, error) {
	return d.own.get(ctx, ofPrincipal(p), string(number), func(ctx context.Context) (*commerce.Order, error) {
		return d.next.Order(ctx, p, number)
	})
}

func (d orders) GuestOrder(ctx context.Context, number commerce.OrderNumber) (*commerce.Order, error) {
	return d.guest.get(ctx, asker{}, string(number), func(ctx context.Context) (*commerce.Order, error) {
		return d.next.GuestOrder(ctx, number)
	})
}
