package sandbox

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bojanz/currency"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

const (
	longestName = 200
	longestBody = 10_000
	mostStock   = 1_000_000
)

var pricePattern = regexp.MustCompile(`^[0-9]{1,6}(\.[0-9]{1,2})?$`)

// price is decimal text, sent as a string or as a number.
type price string

// UnmarshalJSON keeps the number as it was written.
func (p *price) UnmarshalJSON(data []byte) error {
	*p = price(strings.Trim(string(data), `"`))
	return nil
}

// sentChange is what to change, of one of five: a product (sku), a price group, a page, a category or an order.
type sentChange struct {
	SKU      string  `json:"sku"`
	Price    *price  `json:"price"`
	Stock    *int    `json:"stock"`
	Name     *string `json:"name"`  // a category's, too
	State    *string `json:"state"` // a page's, too
	Group    string  `json:"group"`
	Off      *int    `json:"percentOff"`
	Page     string  `json:"page"`
	Language string  `json:"language"`
	Title    *string `json:"title"`
	Body     *string `json:"body"`
	Category string  `json:"category"`
	Order    string  `json:"order"`
}

// subjects are what can be changed, by the field that names it, with the fields that go with each.
var subjects = map[string][]string{
	"sku":      {"price", "stock", "name", "state"},
	"group":    {"percentOff"},
	"page":     {"language", "title", "body", "state"},
	"category": {"name"},
	"order":    {"state"},
}

// given are the names of the fields that were sent, those of subjects first.
func (c sentChange) given() []string {
	var names []string
	for _, field := range []struct {
		name string
		sent bool
	}{
		{"sku", c.SKU != ""},
		{"group", c.Group != ""},
		{"page", c.Page != ""},
		{"category", c.Category != ""},
		{"order", c.Order != ""},
		{"price", c.Price != nil},
		{"stock", c.Stock != nil},
		{"name", c.Name != nil},
		{"state", c.State != nil},
		{"percentOff", c.Off != nil},
		{"language", c.Language != ""},
		{"title", c.Title != nil},
		{"body", c.Body != nil},
	} {
		if field.sent {
			names = append(names, field.name)
		}
	}
	return names
}

// postWorld changes one thing for all systems alike. Those that have it to tell others do so now.
func (s *Server) postWorld(r *http.Request) (any, error) {
	var sent sentChange
	if err := decode(r, &sent); err != nil {
		return nil, err
	}
	given := sent.given()
	if len(given) == 0 || subjects[given[0]] == nil {
		return nil, &FieldError{Field: "", Message: "must name a sku, a group, a page, a category or an order"}
	}
	for _, name := range given[1:] {
		if !slices.Contains(subjects[given[0]], name) {
			return nil, &FieldError{Field: name, Message: "must not be changed together with a " + given[0]}
		}
	}
	switch given[0] {
	case "group":
		return s.discounted(sent)
	case "page":
		return s.rewritten(sent)
	case "category":
		return s.renamed(sent)
	case "order":
		return s.moved(sent)
	default:
		return s.changed(sent)
	}
}

// text checks a text that may be left out.
func text(field string, sent *string, most int) (string, error) {
	switch {
	case sent == nil:
		return "", nil
	case strings.TrimSpace(*sent) == "" || len(*sent) > most:
		return "", &FieldError{Field: field, Message: "must be 1 to " + strconv.Itoa(most) + " bytes"}
	default:
		return *sent, nil
	}
}

// states are what the PIM can have of an object.
var states = map[string]world.State{"published": world.Published, "unpublished": world.Unpublished, "deleted": world.Deleted}

// state checks a state that may be left out.
func state(sent *string) (*world.State, error) {
	if sent == nil {
		return nil, nil //nolint:nilnil // it was left out
	}
	known, ok := states[*sent]
	if !ok {
		return nil, &FieldError{Field: "state", Message: "must be published, unpublished or deleted"}
	}
	return &known, nil
}

// stateOf is the word for what the PIM has.
func stateOf(published, deleted bool) string {
	switch {
	case published:
		return "published"
	case deleted:
		return "deleted"
	default:
		return "unpublished"
	}
}

// changedGroup is a price group as it is now.
type changedGroup struct {
	Group string `json:"group"`
	Off   int    `json:"percentOff"` // of list prices, from one piece on
}

func (s *Server) discounted(sent sentChange) (any, error) {
	if sent.Off == nil || *sent.Off < 0 || *sent.Off > 99 {
		return nil, &FieldError{Field: "percentOff", Message: "must be 0 to 99"}
	}
	if !s.World.Discount(sent.Group, *sent.Off) {
		return nil, &FieldError{Field: "group", Message: "is not a price group that has discounts"}
	}
	return changedGroup{Group: sent.Group, Off: s.World.Breaks(sent.Group)[0].PercentOff}, nil
}

// changedProduct is a product as it is now.
type changedProduct struct {
	SKU   string `json:"sku"`
	Name  string `json:"name"`
	Price string `json:"price"` // the list price in USD
	Stock int    `json:"stock"`
	State string `json:"state"`
}

func (s *Server) changed(sent sentChange) (any, error) {
	change := world.Change{Stock: sent.Stock}
	var err error
	if sent.Price == nil && sent.Stock == nil && sent.Name == nil && sent.State == nil {
		return nil, &FieldError{Field: "", Message: "must hold a price, a stock, a name or a state"}
	}
	if change.Name, err = text("name", sent.Name, longestName); err != nil {
		return nil, err
	}
	if change.State, err = state(sent.State); err != nil {
		return nil, err
	}
	if sent.Stock != nil && (*sent.Stock < 0 || *sent.Stock > mostStock) {
		return nil, &FieldError{Field: "stock", Message: "must be 0 to 1000000"}
	}
	if sent.Price != nil {
		amount, err := currency.NewAmount(string(*sent.Price), "USD")
		if err != nil || !pricePattern.MatchString(string(*sent.Price)) {
			return nil, &FieldError{Field: "price", Message: "must be US dollars such as 1199.00"}
		}
		change.Price = &amount
	}
	if !s.World.Change(sent.SKU, change) {
		return nil, &FieldError{Field: "sku", Message: "is not a product that is sold"}
	}
	p := s.World.BySKU(sent.SKU)
	return changedProduct{
		SKU: p.SKU, Name: p.Name, Price: p.ListPrice.Number(), Stock: s.World.Free(p.ID), State: stateOf(p.Published, p.Deleted),
	}, nil
}

// changedPage is a page as it is now, in one language.
type changedPage struct {
	Page  string `json:"page"`
	Title string `json:"title"`
	Body  string `json:"body"`
	State string `json:"state"`
}

func (s *Server) rewritten(sent sentChange) (any, error) {
	change := world.PageChange{Language: sent.Language}
	var err error
	switch {
	case sent.Title == nil && sent.Body == nil && sent.State == nil:
		return nil, &FieldError{Field: "", Message: "must hold a title, a body or a state"}
	case sent.Language == "":
		change.Language = world.Languages[0]
	case !slices.Contains(world.Languages, sent.Language):
		return nil, &FieldError{Field: "language", Message: "must be one that pages are written in"}
	}
	if change.Title, err = text("title", sent.Title, longestName); err != nil {
		return nil, err
	}
	if change.Body, err = text("body", sent.Body, longestBody); err != nil {
		return nil, err
	}
	if change.State, err = state(sent.State); err != nil {
		return nil, err
	}
	if !s.World.ChangePage(sent.Page, change) {
		return nil, &FieldError{Field: "page", Message: "is not a page that the PIM has"}
	}
	p := s.World.Page(sent.Page)
	return changedPage{
		Page: p.Key, Title: p.Title[change.Language], Body: p.Body[change.Language], State: stateOf(p.Published, p.Deleted),
	}, nil
}

// changedCategory is a category as it is now.
type changedCategory struct {
	Category string `json:"category"`
	Name     string `json:"name"`
}

func (s *Server) renamed(sent sentChange) (any, error) {
	name, err := text("name", sent.Name, longestName)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, &FieldError{Field: "name", Message: "must be given"}
	}
	id, err := strconv.Atoi(sent.Category)
	if err != nil || !s.World.NameCategory(id, name) {
		return nil, &FieldError{Field: "category", Message: "is not a category that the PIM has"}
	}
	return changedCategory{Category: sent.Category, Name: s.World.Category(id).Name}, nil
}

// changedOrder is how far the ERP is with an order.
type changedOrder struct {
	Order string `json:"order"`
	State string `json:"state"`
}

// progress is how far the ERP can get, by the word for it.
var progress = map[string]world.Progress{
	"waiting": world.Waiting, "shipped": world.Shipped, "delivered": world.Delivered, "cancelled": world.Cancelled,
}

func (s *Server) moved(sent sentChange) (any, error) {
	to, known := world.Waiting, false
	if sent.State != nil {
		to, known = progress[*sent.State]
	}
	if !known {
		return nil, &FieldError{Field: "state", Message: "must be waiting, shipped, delivered or cancelled"}
	}
	if !s.World.MoveOrder(sent.Order, to) {
		return nil, &FieldError{Field: "order", Message: "is not an order that was placed here"}
	}
	return changedOrder{Order: sent.Order, State: *sent.State}, nil
}
