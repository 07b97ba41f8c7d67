package magento

import (
	"strconv"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

type customerWire struct {
	ID        int                   `json:"id"`
	GroupID   int                   `json:"group_id"`
	CreatedAt string                `json:"created_at"`
	UpdatedAt string                `json:"updated_at"`
	CreatedIn string                `json:"created_in"`
	Email     string                `json:"email"`
	FirstName string                `json:"firstname"`
	LastName  string                `json:"lastname"`
	StoreID   int                   `json:"store_id"`
	WebsiteID int                   `json:"website_id"`
	Addresses []customerAddressWire `json:"addresses"`
	NoAuto    int                   `json:"disable_auto_group_change"`
	Extension any                   `json:"extension_attributes"`
}

type customerAddressWire struct {
	ID         int                `json:"id"`
	CustomerID int                `json:"customer_id"`
	Region     customerRegionWire `json:"region"`
	RegionID   int                `json:"region_id"`
	Country    string             `json:"country_id"`
	Street     []string           `json:"street"`
	Company    string             `json:"company,omitempty"`
	Phone      string             `json:"telephone"`
	Postcode   string             `json:"postcode"`
	City       string             `json:"city"`
	FirstName  string             `json:"firstname"`
	LastName   string             `json:"lastname"`
}

type customerRegionWire struct {
	Code *string `json:"region_code"`
	Name *string `json:"region"`
	ID   int     `json:"region_id"`
}

// groupIDs are Magento's numbers of the price groups; 0 would be "not logged in".
var groupIDs = map[string]int{world.Retail: 1, world.Wholesale: 2}

func wireCustomer(c *world.Customer) customerWire {
	created := stamp(c.CreatedAt)
	out := customerWire{
		ID: c.MagentoID, GroupID: groupIDs[c.Group], CreatedAt: created, UpdatedAt: created, CreatedIn: "Default Store View",
		Email: c.Email, FirstName: c.FirstName, LastName: c.LastName, StoreID: 1, WebsiteID: 1,
		Addresses: make([]customerAddressWire, len(c.Addresses)), Extension: empty{},
	}
	for i, a := range c.Addresses {
		w := customerAddressWire{
			ID: a.ID, CustomerID: c.MagentoID, Country: a.Country, Street: []string{a.Street}, Company: c.CompanyName,
			Phone: c.Phone, Postcode: a.Postcode, City: a.City, FirstName: c.FirstName, LastName: c.LastName,
		}
		if a.Street2 != "" {
			w.Street = append(w.Street, a.Street2)
		}
		if r, ok := findRegion(a.Country, 0, a.RegionCode); ok {
			w.RegionID, w.Region = r.ID, customerRegionWire{Code: &r.Code, Name: &r.Name, ID: r.ID}
		}
		out.Addresses[i] = w
	}
	return out
}

func (s *shop) getCustomer(c *call) (any, error) {
	id, err := strconv.Atoi(c.args["customerId"])
	if err != nil {
		return nil, badValue("customerId", c.args["customerId"])
	}
	customer := s.world.CustomerByMagentoID(id)
	if customer == nil {
		return nil, noEntity("customerId", c.args["customerId"])
	}
	return wireCustomer(customer), nil
}

// customerFields are what customers can be searched by.
var customerFields = map[string]func(*world.Customer) string{
	"entity_id": func(c *world.Customer) string { return strconv.Itoa(c.MagentoID) },
	"email":     func(c *world.Customer) string { return c.Email },
	"firstname": func(c *world.Customer) string { return c.FirstName },
	"lastname":  func(c *world.Customer) string { return c.LastName },
	"group_id":  func(c *world.Customer) string { return strconv.Itoa(groupIDs[c.Group]) },
}

func (s *shop) searchCustomers(c *call) (any, error) {
	return search(c.query, s.world.Customers(), customerFields, wireCustomer)
}

type storeWire struct {
	ID          int    `json:"id"`
	Code        string `json:"code"`
	WebsiteID   int    `json:"website_id"`
	Locale      string `json:"locale"`
	Base        string `json:"base_currency_code"`
	Display     string `json:"default_display_currency_code"`
	Timezone    string `json:"timezone"`
	WeightUnit  string `json:"weight_unit"`
	BaseURL     string `json:"base_url"`
	MediaURL    string `json:"base_media_url"`
	SecureURL   string `json:"secure_base_url"`
	SecureMedia string `json:"secure_base_media_url"`
}

// storeConfigs answers the store views, all or those that storeCodes[] names.
func (s *shop) storeConfigs(c *call) (any, error) {
	wanted := map[string]bool{}
	for name, values := range c.query {
		if _, ok := numbered(name, "storeCodes"); ok || name == "storeCodes" {
			for _, v := range values {
				wanted[v] = true
			}
		}
	}
	const base = "https://shop.example.test/"
	list := []storeWire{}
	for _, st := range stores {
		if len(wanted) == 0 || wanted[st.Code] {
			list = append(list, storeWire{
				ID: st.ID, Code: st.Code, WebsiteID: st.ID, Locale: st.Locale, Base: st.Currency, Display: st.Currency, Timezone: "UTC",
				WeightUnit: "lbs", BaseURL: base, MediaURL: base + "media/", SecureURL: base, SecureMedia: base + "media/",
			})
		}
	}
	return list, nil
}
