package world

import "time"

// Customer is a registered shopper or a shop that buys wholesale.
type Customer struct {
	Number      string // "AW00011000", the subject of the customer's token
	MagentoID   int
	OdooID      int
	LoyaltyID   string // a UUID
	FirstName   string
	LastName    string
	Email       string // unique, lower case, below example.test
	Phone       string
	Group       string // Retail or Wholesale
	CompanyName string // empty for people
	Addresses   []Address
	Points      int // to spend
	Earned      int // ever earned, at least Points
	Level       int // 0 to 3, by Earned; see [Levels]
	CreatedAt   time.Time
}

// Address is one of a customer's. Region is a state or province.
type Address struct {
	ID         int
	Street     string
	Street2    string // may be empty
	City       string
	RegionCode string // "WA"; empty where the data has none
	RegionName string
	Postcode   string
	Country    string // ISO 3166-1 alpha-2
	Type       string // Home, Main Office, Shipping, …
}

// LoyaltyLevel is a rank that customers reach by what they ever earned.
type LoyaltyLevel struct {
	Name   string
	Points int // ever earned, from which the level holds
}

// Levels are the ranks in rising order; a customer's Level is an index into it.
var Levels = []LoyaltyLevel{{"Bronze", 0}, {"Silver", 500}, {"Gold", 2000}, {"Platinum", 5000}}

// Customers answers all customers in the data's order.
func (w *World) Customers() []*Customer { return w.customers }

// Customer answers the customer with the account number, or nil.
func (w *World) Customer(number string) *Customer { return w.customerByNumber[number] }

// CustomerByEmail answers the customer with exactly this e-mail address, or nil.
func (w *World) CustomerByEmail(email string) *Customer { return w.customerByEmail[email] }

// CustomerByMagentoID answers the customer that the checkout knows by id, or nil.
func (w *World) CustomerByMagentoID(id int) *Customer { return w.customerByMagento[id] }

// CustomerByOdooID answers the customer that the ERP knows by id, or nil.
func (w *World) CustomerByOdooID(id int) *Customer { return w.customerByOdoo[id] }

// CustomerByLoyaltyID answers the customer that the CRM knows by id, or nil.
func (w *World) CustomerByLoyaltyID(uuid string) *Customer { return w.customerByLoyalty[uuid] }
