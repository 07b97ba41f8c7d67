package commerce

import (
	"context"
	"regexp"
	"unicode/utf8"
)

// Address is where things are sent or billed to.
type Address struct {
	FirstName string
	LastName  string
	Company   string   // may be empty
	Street    []string // 1 to 3 lines
	City      string
	Region    string // code or name of a state or province; may be empty
	Postcode  string
	Country   string // ISO 3166-1 alpha-2
	Phone     string // may be empty
}

var countryPattern = regexp.MustCompile(`^[A-Z]{2}$`)

// Validate checks what a client sent; prefix is the input's name ("shippingAddress").
func (a Address) Validate(prefix string) error {
	if len(a.Street) == 0 || len(a.Street) > 3 {
		return &InputError{Field: prefix + ".street", Code: CodeRequired, Message: "must hold 1 to 3 lines"}
	}
	texts := []struct {
		name, value string
		required    bool
	}{
		{"firstName", a.FirstName, true},
		{"lastName", a.LastName, true},
		{"company", a.Company, false},
		{"street", a.Street[0], true},
		{"city", a.City, true},
		{"region", a.Region, false},
		{"postcode", a.Postcode, true},
		{"phone", a.Phone, false},
	}
	for _, line := range a.Street[1:] {
		texts = append(texts, struct {
			name, value string
			required    bool
		}{"street", line, false})
	}
	for _, t := range texts {
		if t.required && t.value == "" {
			return &InputError{Field: prefix + "." + t.name, Code: CodeRequired, Message: "must not be empty"}
		}
		if utf8.RuneCountInString(t.value) > 255 {
			return &InputError{Field: prefix + "." + t.name, Code: CodeTooLong, Message: "must be at most 255 characters long"}
		}
	}
	if !countryPattern.MatchString(a.Country) {
		return malformed(prefix+".country", "an ISO 3166-1 alpha-2 code")
	}
	return nil
}

// Customer is a registered shopper's profile.
type Customer struct {
	FirstName string
	LastName  string
	Email     string
	Phone     string // may be empty
	Addresses []Address
	Segments  []string // names, for display; may be empty
}

// LoyaltyAccount is a customer's standing in the loyalty programme.
type LoyaltyAccount struct {
	Points            int    // to spend, whole points
	Earned            int    // ever earned, whole points
	Level             string // name; empty when the customer has none
	NextLevel         string // empty on the top level
	PointsToNextLevel int    // 0 on the top level
	Rewards           []Reward
}

// Reward is something points can be spent on.
type Reward struct {
	ID   string
	Name string
	Cost int // points
}

// Customers holds profiles.
type Customers interface {
	// Customer answers the principal's own profile. A principal that the CRM
	// does not know, or whose e-mail is unverified, is [ErrNotFound].
	Customer(ctx context.Context, p Principal) (*Customer, error)
}

// Loyalty holds loyalty accounts.
type Loyalty interface {
	// Loyalty answers the principal's own account, or [ErrNotFound].
	Loyalty(ctx context.Context, p Principal) (*LoyaltyAccount, error)
}

// Notifications tells a customer something.
type Notifications interface {
	// Notify queues a message of a configured template for the principal.
	Notify(ctx context.Context, p Principal, template string, values map[string]string) error
}
