package screen

import (
	"context"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/schema/commerce"
)

const latestOrders = 3

var accountParts = []part[account]{
	{Part{Name: "profile", Op: commerce.OpCustomer, Priority: 1, Share: wholeTime, Fields: []string{"profile", "addresses"}}, (*account).loadProfile},
	{Part{Name: "orders", Op: commerce.OpOrders, Calls: orderSystems, Priority: 2, Share: wholeTime, Fields: []string{"orders"}}, (*account).loadOrders},
	{Part{Name: "loyalty", Op: commerce.OpLoyalty, Priority: 3, Share: mostTime, Fields: []string{"loyalty"}}, (*account).loadLoyalty},
}

type account struct {
	asked

	shown api.AccountScreen
}

// Account is the signed-in customer; [commerce.ErrUnauthenticated] for anonymous
// viewers. It fails only when none of its parts can be had.
func (s *Screens) Account(ctx context.Context, v Viewer) (*api.AccountScreen, error) {
	if v.Principal.Anonymous() {
		return nil, commerce.ErrUnauthenticated
	}
	a := &account{asked: asked{s, v}}
	degraded, err := compose(ctx, s, wanted(v, accountParts), a)
	if err != nil {
		return nil, err
	}
	a.shown.Degraded = degraded
	return &a.shown, nil
}

func (a *account) loadProfile(ctx context.Context) error {
	c, err := a.Ports.Customers.Customer(ctx, a.viewer.Principal)
	if err != nil {
		return err
	}
	a.shown.Profile = api.Profile{FirstName: c.FirstName, LastName: c.LastName, Email: c.Email, Phone: c.Phone, Segments: c.Segments}
	a.shown.Addresses = addresses(c)
	return nil
}

func addresses(c *commerce.Customer) []api.Address {
	var list []api.Address
	for _, a := range c.Addresses {
		list = append(list, address(a))
	}
	return list
}

func (a *account) loadLoyalty(ctx context.Context) error {
	found, err := a.Ports.Loyalty.Loyalty(ctx, a.viewer.Principal)
	if err == nil {
		a.shown.Loyalty = loyalty(found, a.viewer.Market.Locale)
	}
	return err
}

func (a *account) loadOrders(ctx context.Context) error {
	page, err := a.Orders.Orders(ctx, a.viewer.Principal, commerce.Cursor{First: latestOrders})
	if err == nil {
		a.shown.Orders = summaries(page.Orders, a.viewer.Market.Locale)
	}
	return err
}

func loyalty(a *commerce.LoyaltyAccount, locale string) *api.Loyalty {
	shown := &api.Loyalty{
		Points: a.Points, PointsText: count(a.Points, locale), Earned: a.Earned, EarnedText: count(a.Earned, locale), Level: a.Level,
		NextLevel: a.NextLevel, PointsToNextLevel: a.PointsToNextLevel,
	}
	if a.PointsToNextLevel > 0 {
		shown.PointsToNextLevelText = count(a.PointsToNextLevel, locale)
	}
	for _, r := range a.Rewards {
		shown.Rewards = append(shown.Rewards, api.Reward{Id: r.ID, Name: r.Name, Cost: r.Cost, CostText: count(r.Cost, locale)})
	}
	return shown
}
