package openloyalty

import (
	"bytes"
	"encoding/json"
)

// What comes back. Everything may be absent but ids, e-mail address and points.
type (
	wireCustomers struct {
		Customers *[]wireCustomer `json:"customers"`
	}
	wireCustomer struct {
		CustomerID string        `json:"customerId"`
		Active     *bool         `json:"active"`
		FirstName  string        `json:"firstName"`
		LastName   string        `json:"lastName"`
		Email      string        `json:"email"`
		Phone      string        `json:"phone"`
		Address    wireAddress   `json:"address"`
		Company    wireCompany   `json:"company"`
		Segments   []wireSegment `json:"segments"`
	}
	wireAddress struct {
		Street   string `json:"street"`
		Address1 string `json:"address1"`
		Address2 string `json:"address2"`
		Postal   string `json:"postal"`
		City     string `json:"city"`
		Province string `json:"province"`
		Country  string `json:"country"`
	}
	wireCompany struct {
		Name string `json:"name"`
	}
	wireSegment struct {
		Name   string `json:"name"`
		Active *bool  `json:"active"`
	}
	wireStatus struct {
		CustomerID        string      `json:"customerId"`
		Points            json.Number `json:"points"`
		TotalEarnedPoints json.Number `json:"totalEarnedPoints"`
		LevelName         string      `json:"levelName"`
		NextLevelName     string      `json:"nextLevelName"`
		PointsToNextLevel json.Number `json:"pointsToNextLevel"`
	}
	wireCampaigns struct {
		Campaigns *[]wireCampaign `json:"campaigns"`
	}
	wireCampaign struct {
		CampaignID   string      `json:"campaignId"`
		Name         string      `json:"name"`
		Active       *bool       `json:"active"`
		CostInPoints json.Number `json:"costInPoints"`
	}
	wireFailure struct {
		Error struct {
			Code json.Number `json:"code"`
		} `json:"error"`
	}
)

// active is false only when the CRM says so.
func (w wireCustomer) active() bool { return w.Active == nil || *w.Active }

// emptyList is how PHP may write an object without fields.
var emptyList = []byte("[]")

// UnmarshalJSON takes an empty list for an empty object.
func (w *wireAddress) UnmarshalJSON(raw []byte) error {
	type plain wireAddress
	if bytes.Equal(bytes.TrimSpace(raw), emptyList) {
		return nil
	}
	return json.Unmarshal(raw, (*plain)(w))
}

// UnmarshalJSON takes an empty list for an empty object.
func (w *wireCompany) UnmarshalJSON(raw []byte) error {
	type plain wireCompany
	if bytes.Equal(bytes.TrimSpace(raw), emptyList) {
		return nil
	}
	return json.Unmarshal(raw, (*plain)(w))
}
