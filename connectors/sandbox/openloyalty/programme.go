package openloyalty

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// percentStep is what each level takes off more than the one below.
const percentStep = 5

func levelID(level int) string {
	return fmt.Sprintf("000096cf-32a3-43bd-9034-%012d", level+1)
}

func percentOf(level int) string { return fmt.Sprintf("%d.00%%", level*percentStep) }

// statusBody is a customer's standing. The next level is absent at the top.
type statusBody struct {
	FirstName     string      `json:"firstName"`
	LastName      string      `json:"lastName"`
	CustomerID    string      `json:"customerId"`
	Points        json.Number `json:"points"`
	Earned        json.Number `json:"totalEarnedPoints"`
	Used          json.Number `json:"usedPoints"`
	Expired       json.Number `json:"expiredPoints"`
	Locked        json.Number `json:"lockedPoints"`
	Level         string      `json:"level"`
	LevelName     string      `json:"levelName"`
	Condition     json.Number `json:"levelConditionValue"`
	Next          string      `json:"nextLevel,omitempty"`
	NextName      string      `json:"nextLevelName,omitempty"`
	NextCondition json.Number `json:"nextLevelConditionValue,omitempty"`
	ToNext        json.Number `json:"pointsToNextLevel,omitempty"`
	Amount        json.Number `json:"transactionsAmount"`
	AmountGoods   json.Number `json:"transactionsAmountWithoutDeliveryCosts"`
	Average       string      `json:"averageTransactionsAmount"`
	Count         int         `json:"transactionsCount"`
	Currency      string      `json:"currency"`
	Expiring      json.Number `json:"pointsExpiringNextMonth"`
}

// status answers GET /api/admin/customer/{id}/status.
func (s *server) status(_ *http.Request, id string) (any, *fault) {
	c := s.world.CustomerByLoyaltyID(id)
	if c == nil {
		return nil, notFound()
	}
	level := world.Levels[c.Level]
	body := statusBody{
		FirstName: c.FirstName, LastName: c.LastName, CustomerID: c.LoyaltyID,
		Points: whole(c.Points), Earned: whole(c.Earned), Used: whole(c.Earned - c.Points), Expired: "0", Locked: "0",
		Level: percentOf(c.Level), LevelName: level.Name, Condition: whole(level.Points),
		Amount: whole(c.Earned), AmountGoods: whole(c.Earned), Average: ratio(c.Earned, transactions(c)),
		Count: transactions(c), Currency: "usd", Expiring: "0",
	}
	if next := c.Level + 1; next < len(world.Levels) {
		body.Next, body.NextName = percentOf(next), world.Levels[next].Name
		body.NextCondition = whole(world.Levels[next].Points)
		body.ToNext = whole(max(world.Levels[next].Points-c.Earned, 0))
	}
	return body, nil
}

type levelReward struct {
	Name  string      `json:"name"`
	Value json.Number `json:"value"`
	Code  string      `json:"code"`
}

type levelBody struct {
	ID           string      `json:"id"`
	Name         string      `json:"name"`
	Description  string      `json:"description"`
	Active       bool        `json:"active"`
	Condition    json.Number `json:"conditionValue"`
	Reward       levelReward `json:"reward"`
	Special      []struct{}  `json:"specialRewards"`
	Customers    int         `json:"customersCount"`
	Translations []struct{}  `json:"translations"`
}

func (s *server) allLevels() []levelBody {
	counts := make([]int, len(world.Levels))
	for _, c := range s.world.Customers() {
		counts[c.Level]++
	}
	list := make([]levelBody, len(world.Levels))
	for i, level := range world.Levels {
		list[i] = levelBody{
			ID: levelID(i), Name: level.Name, Description: level.Name + " members", Active: true, Condition: whole(level.Points),
			Reward:  levelReward{Name: fmt.Sprintf("%d%%", i*percentStep), Value: json.Number(ratio(i*percentStep, 100)), Code: strings.ToLower(level.Name)},
			Special: []struct{}{}, Customers: counts[i], Translations: []struct{}{},
		}
	}
	return list
}

// levels answers GET /api/level.
func (s *server) levels(r *http.Request, _ string) (any, *fault) {
	all := s.allLevels()
	rows, f := cut(r, all)
	return struct {
		Levels []levelBody `json:"levels"`
		Total  int         `json:"total"`
	}{rows, len(all)}, f
}

// level answers GET /api/level/{id}.
func (s *server) level(_ *http.Request, id string) (any, *fault) {
	for _, l := range s.allLevels() {
		if l.ID == id {
			return l, nil
		}
	}
	return nil, notFound()
}

type criterion struct {
	ID   string `json:"criterionId"`
	Type string `json:"type"`
	Min  int    `json:"min"`
	Max  int    `json:"max"`
}

type segmentPart struct {
	ID       string      `json:"segmentPartId"`
	Criteria []criterion `json:"criteria"`
}

// segmentRef is a segment as a customer has it.
type segmentRef struct {
	ID     string `json:"segmentId"`
	Name   string `json:"name"`
	Active bool   `json:"active"`
}

type segmentBody struct {
	segmentRef
	Parts     []segmentPart `json:"parts"`
	CreatedAt moment        `json:"createdAt"`
	Customers int           `json:"customersCount"`
}

// groups are the segments and who is in them. The last was switched off and still clings to customers.
var groups = []struct {
	ref segmentRef
	in  func(c *world.Customer) bool
}{
	{segmentRef{"00000000-0000-0000-0000-000000000101", "Heavy buyers", true}, func(c *world.Customer) bool { return transactions(c) >= 10 }},
	{segmentRef{"00000000-0000-0000-0000-000000000102", "Shops", true}, func(c *world.Customer) bool { return c.Group == world.Wholesale }},
	{segmentRef{"00000000-0000-0000-0000-000000000103", "Cyclists", true}, func(c *world.Customer) bool { return c.Group == world.Retail }},
	{segmentRef{"00000000-0000-0000-0000-000000000104", "Launch campaign", false}, func(c *world.Customer) bool { return c.Earned > 0 }},
}

func segmentsOf(c *world.Customer) []segmentRef {
	list := []segmentRef{}
	for _, g := range groups {
		if g.in(c) {
			list = append(list, g.ref)
		}
	}
	return list
}

func (s *server) allSegments() []segmentBody {
	list := make([]segmentBody, len(groups))
	for i, g := range groups {
		n := 0
		for _, c := range s.world.Customers() {
			if g.in(c) {
				n++
			}
		}
		list[i] = segmentBody{
			segmentRef: g.ref, Customers: n, CreatedAt: moment{time.Date(2023, 1, 2, 3, 4, 5, 0, time.UTC)},
			Parts: []segmentPart{{ID: g.ref.ID + "-1", Criteria: []criterion{{g.ref.ID + "-1-1", "transaction_count", 0, 1000}}}},
		}
	}
	return list
}

// segments answers GET /api/segment.
func (s *server) segments(r *http.Request, _ string) (any, *fault) {
	all := s.allSegments()
	rows, f := cut(r, all)
	return struct {
		Segments []segmentBody `json:"segments"`
		Total    int           `json:"total"`
	}{rows, len(all)}, f
}

// segment answers GET /api/segment/{id}.
func (s *server) segment(_ *http.Request, id string) (any, *fault) {
	for _, g := range s.allSegments() {
		if g.ID == id {
			return g, nil
		}
	}
	return nil, notFound()
}

// campaign is a reward of the programme.
type campaign struct {
	ID      string `json:"campaignId"`
	Name    string `json:"name"`
	Reward  string `json:"reward"`
	Active  bool   `json:"active"`
	Cost    int    `json:"costInPoints"`
	Left    int    `json:"usageLeft"`
	LeftOwn int    `json:"usageLeftForCustomer"`
	CanBuy  bool   `json:"canBeBoughtByCustomer"`
	level   int    // from which it is offered
}

// campaigns are all rewards; which of them a customer sees depends on the level.
var campaigns = []campaign{
	{ID: "3a40b784-913f-45ee-8646-a78b2b4f5c01", Name: "Free delivery", Reward: "free_delivery_code", Active: true, Cost: 50, Left: 9000, LeftOwn: 5},
	{ID: "3a40b784-913f-45ee-8646-a78b2b4f5c02", Name: "Water bottle", Reward: "gift_code", Active: true, Cost: 150, Left: 420, LeftOwn: 1},
	{ID: "3a40b784-913f-45ee-8646-a78b2b4f5c03", Name: "Workshop inspection", Reward: "event_code", Active: true, Cost: 600, Left: 80, LeftOwn: 1, level: 1},
	{ID: "3a40b784-913f-45ee-8646-a78b2b4f5c04", Name: "10 % off a bike", Reward: "discount_code", Active: true, Cost: 2500, Left: 40, LeftOwn: 1, level: 2},
}

// rewards answers GET /api/admin/customer/{id}/campaign/available.
func (s *server) rewards(r *http.Request, id string) (any, *fault) {
	c := s.world.CustomerByLoyaltyID(id)
	if c == nil {
		return nil, notFound()
	}
	offered := []campaign{}
	for _, one := range campaigns {
		if c.Level >= one.level {
			one.CanBuy = c.Points >= one.Cost
			offered = append(offered, one)
		}
	}
	rows, f := cut(r, offered)
	return struct {
		Campaigns []campaign `json:"campaigns"`
		Total     int        `json:"total"`
	}{rows, len(offered)}, f
}
