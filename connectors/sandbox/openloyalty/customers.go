package openloyalty

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// moment is a time as the system writes it: with an offset that has no colon.
type moment struct{ time.Time }

var warsaw = time.FixedZone("CET", 60*60)

// MarshalJSON writes "2023-01-02T03:04:05+0100".
func (m moment) MarshalJSON() ([]byte, error) {
	return []byte(strconv.Quote(m.In(warsaw).Format("2006-01-02T15:04:05-0700"))), nil
}

// addressBody is an address; one that nobody gave is {}.
type addressBody struct {
	Street   string `json:"street,omitempty"`
	Address1 string `json:"address1,omitempty"`
	Address2 string `json:"address2,omitempty"`
	Postal   string `json:"postal,omitempty"`
	City     string `json:"city,omitempty"`
	Province string `json:"province,omitempty"`
	Country  string `json:"country,omitempty"`
}

type companyBody struct {
	Name string `json:"name"`
	NIP  string `json:"nip"`
}

// customerBody is a customer in a list. Amounts are JSON numbers, as the system sends them.
type customerBody struct {
	CustomerID   string       `json:"customerId"`
	Active       bool         `json:"active"`
	FirstName    string       `json:"firstName"`
	LastName     string       `json:"lastName"`
	Email        string       `json:"email"`
	Phone        string       `json:"phone,omitempty"`
	Card         string       `json:"loyaltyCardNumber,omitempty"`
	CreatedAt    moment       `json:"createdAt"`
	UpdatedAt    moment       `json:"updatedAt"`
	LevelID      string       `json:"levelId"`
	Address      addressBody  `json:"address"`
	Company      *companyBody `json:"company,omitempty"`
	Agreement1   bool         `json:"agreement1"`
	Agreement2   bool         `json:"agreement2"`
	Agreement3   bool         `json:"agreement3"`
	Purchases    []struct{}   `json:"campaignPurchases"`
	Count        int          `json:"transactionsCount"`
	Amount       json.Number  `json:"transactionsAmount"`
	AmountGoods  json.Number  `json:"transactionsAmountWithoutDeliveryCosts"`
	Excluded     json.Number  `json:"amountExcludedForLevel"`
	Average      json.Number  `json:"averageTransactionAmount"`
	Currency     string       `json:"currency"`
	LevelPercent string       `json:"levelPercent"`
}

// customerDetail is one customer by id.
type customerDetail struct {
	customerBody
	Segments []segmentRef `json:"segments"`
}

func bodyOf(c *world.Customer) customerBody {
	count := transactions(c)
	return customerBody{
		CustomerID: c.LoyaltyID, Active: true, FirstName: c.FirstName, LastName: c.LastName, Email: c.Email,
		Phone: c.Phone, Card: cardOf(c), CreatedAt: moment{c.CreatedAt}, UpdatedAt: moment{c.CreatedAt.Add(36 * time.Hour)},
		LevelID: levelID(c.Level), Address: addressOf(c), Company: companyOf(c), Agreement1: true, Purchases: []struct{}{},
		Count: count, Amount: whole(c.Earned), AmountGoods: whole(c.Earned), Excluded: "0",
		Average: json.Number(ratio(c.Earned, count)), Currency: "usd", LevelPercent: percentOf(c.Level),
	}
}

// cardOf is the card of those who have one: every other customer.
func cardOf(c *world.Customer) string {
	if c.MagentoID%2 != 0 {
		return ""
	}
	const series = 47_800_000_000
	return strconv.Itoa(series + c.MagentoID)
}

func addressOf(c *world.Customer) addressBody {
	if len(c.Addresses) == 0 {
		return addressBody{}
	}
	a := c.Addresses[0]
	return addressBody{
		Street: a.Street, Address2: a.Street2, Postal: a.Postcode, City: a.City,
		Province: cmp.Or(a.RegionCode, a.RegionName), Country: a.Country,
	}
}

func companyOf(c *world.Customer) *companyBody {
	if c.CompanyName == "" {
		return nil
	}
	return &companyBody{Name: c.CompanyName}
}

// transactions is how many purchases the points stand for.
func transactions(c *world.Customer) int { return (c.Earned + 249) / 250 }

func whole(n int) json.Number { return json.Number(strconv.Itoa(n)) }

// ratio is a/b with two places, "0.00" for b = 0.
func ratio(a, b int) string {
	if b == 0 {
		return "0.00"
	}
	cents := (a*100 + b/2) / b
	return strconv.Itoa(cents/100) + "." + strconv.Itoa(100 + cents%100)[1:]
}

// filters are those of the list that the sandbox knows, and what they look at.
var filters = map[string]func(c *world.Customer) string{
	"email":             func(c *world.Customer) string { return c.Email },
	"firstName":         func(c *world.Customer) string { return c.FirstName },
	"lastName":          func(c *world.Customer) string { return c.LastName },
	"phone":             func(c *world.Customer) string { return c.Phone },
	"loyaltyCardNumber": cardOf,
}

// customers answers GET /api/customer. Filters match any part of a field unless strict is 1.
func (s *server) customers(r *http.Request, _ string) (any, *fault) {
	query := r.URL.Query()
	strict := query.Get("strict") == "1" || query.Get("strict") == "true"
	found := make([]*world.Customer, 0, 16)
	for _, c := range s.world.Customers() {
		fitting := true
		for name, field := range filters {
			if wanted := query.Get(name); wanted != "" && !matches(field(c), wanted, strict) {
				fitting = false
				break
			}
		}
		if fitting {
			found = append(found, c)
		}
	}
	if field, ok := filters[query.Get("sort")]; ok {
		slices.SortStableFunc(found, func(a, b *world.Customer) int {
			c := strings.Compare(field(a), field(b))
			if strings.EqualFold(query.Get("direction"), "desc") {
				return -c
			}
			return c
		})
	}
	rows, f := cut(r, found)
	if f != nil {
		return nil, f
	}
	list := struct {
		Customers []customerBody `json:"customers"`
		Total     int            `json:"total"`
	}{make([]customerBody, len(rows)), len(found)}
	for i, c := range rows {
		list.Customers[i] = bodyOf(c)
	}
	return list, nil
}

func matches(have, wanted string, strict bool) bool {
	have, wanted = strings.ToLower(have), strings.ToLower(wanted)
	if strict {
		return have == wanted
	}
	return strings.Contains(have, wanted)
}

// defaultPerPage is how many rows a page has when nobody says so.
const defaultPerPage = 10

// cut answers the page of rows that the request asks for.
func cut[T any](r *http.Request, rows []T) ([]T, *fault) {
	page, perPage := 1, defaultPerPage
	for name, into := range map[string]*int{"page": &page, "perPage": &perPage} {
		text := r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1_000_000 {
			return nil, &fault{http.StatusBadRequest, failure(http.StatusBadRequest,
				"Query parameter "+name+" value violated a constraint (This value should be positive.)")}
		}
		*into = n
	}
	from := min((page-1)*perPage, len(rows))
	return rows[from:min(from+perPage, len(rows))], nil
}

// customer answers GET /api/customer/{id}.
func (s *server) customer(_ *http.Request, id string) (any, *fault) {
	c := s.world.CustomerByLoyaltyID(id)
	if c == nil {
		return nil, notFound()
	}
	return customerDetail{customerBody: bodyOf(c), Segments: segmentsOf(c)}, nil
}
