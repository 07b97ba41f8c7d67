package screen

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

const latestOrders = 3

// Account is the signed-in customer; [commerce.ErrUnauthenticated] for anonymous
// viewers. It fails only when none of its parts can be had.
func (s *Screens) Account(ctx context.Context, v Viewer) (*api.AccountScreen, error) {
	if v.Principal.Anonymous() {
		return nil, commerce.ErrUnauthenticated
	}
	p, cancel := s.begin(ctx)
	defer cancel()
	shown := &api.AccountScreen{}
	p.optional("profile", commerce.OpCustomer, func(ctx context.Context) error {
		c, err := s.Ports.Customers.Customer(ctx, v.Principal)
		if err != nil {
			return err
		}
		shown.Profile = api.Profile{FirstName: c.FirstName, LastName: c.LastName, Email: c.Email, Phone: c.Phone, Segments: c.Segments}
		for _, a := range c.Addresses {
			shown.Addresses = append(shown.Addresses, address(a))
		}
		return nil
	})
	p.optional("loyalty", commerce.OpLoyalty, func(ctx context.Context) error {
		account, err := s.Ports.Loyalty.Loyalty(ctx, v.Principal)
		if err == nil {
			shown.Loyalty = loyalty(account)
		}
		return err
	})
	p.optional("orders", commerce.OpOrders, func(ctx context.Context) error {
		page, err := s.Orders.Orders(ctx, v.Principal, commerce.Cursor{First: latestOrders})
		if err == nil {
			shown.Orders = summaries(page.Orders, v.Market.Locale)
		}
		return err
	})
	var err error
	shown.Degraded, err = p.waitAny()
	return shown, err
}

func loyalty(a *commerce.LoyaltyAccount) *api.Loyalty {
	shown := &api.Loyalty{Points: a.Points, Earned: a.Earned, Level: a.Level, NextLevel: a.NextLevel, PointsToNextLevel: a.PointsToNextLevel}
	for _, r := range a.Rewards {
		shown.Rewards = append(shown.Rewards, api.Reward{Id: r.ID, Name: r.Name, Cost: r.Cost})
	}
	return shown
}
