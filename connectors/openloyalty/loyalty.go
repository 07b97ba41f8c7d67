package openloyalty

import (
	"context"
	"encoding/json"
	"math"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/schema/commerce"
)

// maxRewards is how many rewards an account lists.
const maxRewards = 100

// Loyalty answers the principal's own account. See [commerce.Loyalty].
func (c *connector) Loyalty(ctx context.Context, p commerce.Principal) (*commerce.LoyaltyAccount, error) {
	const op = commerce.OpLoyalty
	id, err := c.id(ctx, op, p)
	if err != nil {
		return nil, err
	}
	var status wireStatus
	var campaigns wireCampaigns
	group, both := errgroup.WithContext(ctx)
	group.Go(func() error { return c.get(both, op, nil, &status, "api", "admin", "customer", id, "status") })
	group.Go(func() error {
		query := url.Values{"page": {"1"}, "perPage": {strconv.Itoa(maxRewards)}}
		return c.get(both, op, query, &campaigns, "api", "admin", "customer", id, "campaign", "available")
	})
	if err := group.Wait(); err != nil {
		return nil, c.forgetting(p, err)
	}
	if status.CustomerID != id {
		return nil, failed(op, commerce.ErrUpstream, errForeign)
	}
	account, err := status.account()
	if err == nil {
		account.Rewards, err = campaigns.rewards()
	}
	if err != nil {
		return nil, failed(op, commerce.ErrUpstream, err)
	}
	return account, nil
}

// account reads a standing. All but the id and the points may be missing.
func (w wireStatus) account() (*commerce.LoyaltyAccount, error) {
	a := &commerce.LoyaltyAccount{Level: w.LevelName, NextLevel: w.NextLevelName}
	if w.Points == "" {
		return nil, errShape
	}
	var err error
	if a.Points, err = points(w.Points); err != nil {
		return nil, err
	}
	if a.Earned, err = points(w.TotalEarnedPoints); err != nil {
		return nil, err
	}
	a.Earned = max(a.Earned, a.Points)
	if a.NextLevel == "" {
		return a, nil
	}
	a.PointsToNextLevel, err = points(w.PointsToNextLevel)
	return a, err
}

// rewards are the active ones that can still be bought by somebody with the points.
func (w wireCampaigns) rewards() ([]commerce.Reward, error) {
	if w.Campaigns == nil {
		return nil, errShape
	}
	var list []commerce.Reward
	for _, one := range *w.Campaigns {
		if one.CampaignID == "" || one.Name == "" {
			return nil, errShape
		}
		cost, err := points(one.CostInPoints)
		if err != nil {
			return nil, err
		}
		if one.Active == nil || *one.Active {
			list = append(list, commerce.Reward{ID: one.CampaignID, Name: one.Name, Cost: cost})
		}
	}
	return list, nil
}

// points reads whole points: the CRM counts in fractions, shoppers do not. Less than none is none;
// so is what is absent.
func points(n json.Number) (int, error) {
	if n == "" {
		return 0, nil
	}
	whole, fraction, _ := strings.Cut(n.String(), ".")
	if strings.ContainsAny(whole+fraction, "eE") {
		return 0, errShape
	}
	i, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || i > math.MaxInt32 {
		return 0, errShape
	}
	return int(max(i, 0)), nil
}
