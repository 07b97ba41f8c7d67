package openloyalty

import (
	"context"
	"encoding/json"
	"math"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/connectors/transport"
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
	var account *commerce.LoyaltyAccount
	var rewards []commerce.Reward
	// A group without a context: cancelled by its sibling's refusal, a breaker's probe would tell nothing.
	var group errgroup.Group
	group.Go(func() (err error) {
		account, err = c.standing(ctx, op, id)
		return err
	})
	group.Go(func() (err error) {
		rewards, err = c.rewards(ctx, op, id)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, c.forgetting(p, err)
	}
	account.Rewards = rewards
	return account, nil
}

// standing is the customer's account without its rewards.
func (c *connector) standing(ctx context.Context, op commerce.Operation, id string) (account *commerce.LoyaltyAccount, err error) {
	var status wireStatus
	r := transport.Request{Step: "status", Path: []string{"api", "admin", "customer", id, "status"}}
	err = c.get(ctx, op, r, &status, func() (err error) {
		if status.CustomerID != id {
			return errForeign
		}
		account, err = status.account()
		return err
	})
	return account, err
}

// rewards are those that the customer may choose from.
func (c *connector) rewards(ctx context.Context, op commerce.Operation, id string) (list []commerce.Reward, err error) {
	var campaigns wireCampaigns
	r := transport.Request{
		Step:  "campaigns",
		Path:  []string{"api", "admin", "customer", id, "campaign", "available"},
		Query: url.Values{"page": {"1"}, "perPage": {strconv.Itoa(maxRewards)}},
	}
	err = c.get(ctx, op, r, &campaigns, func() (err error) {
		list, err = campaigns.rewards()
		return err
	})
	return list, err
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
