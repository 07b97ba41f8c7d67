package rest

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	maxWidth  = 4096 // pixels
	maxCursor = 2048 // bytes
	maxFacets = 50
	maxFacet  = 200 // bytes of a facet's value
)

// query is a request's query parameters; the first mistake stays.
type query struct {
	values url.Values
	err    error
}

// readQuery refuses parameters that the operation does not know, and those but
// "facet" that are there twice: what they mean would be a guess.
func readQuery(c *fiber.Ctx, known ...string) *query {
	values, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return &query{err: &commerce.InputError{Field: "query", Code: commerce.CodeInvalid, Message: "must be well-formed"}}
	}
	for name, list := range values {
		if err := checkParameter(name, list, known); err != nil {
			return &query{err: err}
		}
	}
	return &query{values: values}
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

func checkParameter(name string, list, known []string) error {
	switch {
	case !slices.Contains(known, name) && !plainName.MatchString(name):
		return &commerce.InputError{Field: "query", Code: commerce.CodeUnsupported, Message: "holds an unknown parameter"}
	case !slices.Contains(known, name):
		return &commerce.InputError{Field: name, Code: commerce.CodeUnsupported, Message: "is not a known parameter"}
	case len(list) > 1 && name != "facet":
		return &commerce.InputError{Field: name, Code: commerce.CodeInvalid, Message: "must not be there twice"}
	}
	for _, value := range list {
		if !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) {
			return &commerce.InputError{Field: name, Code: commerce.CodeInvalid, Message: "must be valid UTF-8 without control characters"}
		}
	}
	return nil
}

func (q *query) fail(err error) {
	if q.err == nil {
		q.err = err
	}
}

func (q *query) invalid(field string, code commerce.Code, message string) {
	q.fail(&commerce.InputError{Field: field, Code: code, Message: message})
}

// number is a whole number, or other when it is not there.
func (q *query) number(name string, other, least, most int) int {
	if q.err != nil || !q.values.Has(name) {
		return other
	}
	text := q.values.Get(name)
	n, err := strconv.Atoi(text)
	if err != nil || strconv.Itoa(n) != text {
		q.invalid(name, commerce.CodeInvalid, "must be a whole number")
		return other
	}
	if n < least || n > most {
		q.invalid(name, commerce.CodeOutOfRange, "must be between "+strconv.Itoa(least)+" and "+strconv.Itoa(most))
	}
	return n
}

func (q *query) width() int { return q.number("width", 0, 1, maxWidth) }

func (q *query) text(name string, most int) string {
	text := q.values.Get(name)
	if utf8.RuneCountInString(text) > most {
		q.invalid(name, commerce.CodeTooLong, "must be at most "+strconv.Itoa(most)+" characters long")
	}
	return text
}

func (q *query) page(first int) commerce.Cursor {
	return commerce.Cursor{First: q.number("first", first, 1, commerce.MaxBatch), After: q.text("after", maxCursor)}
}

func (q *query) flag(name string) bool {
	switch text := q.values.Get(name); {
	case text == "true":
		return true
	case text == "false", !q.values.Has(name):
	default:
		q.invalid(name, commerce.CodeInvalid, "must be true or false")
	}
	return false
}

var decimalPattern = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,4})?$`)

func (q *query) decimal(name string) string {
	text := q.values.Get(name)
	if q.values.Has(name) && !decimalPattern.MatchString(text) {
		q.invalid(name, commerce.CodeInvalid, "must be a decimal number of 0 or more")
	}
	return text
}

func (q *query) sort() commerce.Sort {
	sort := commerce.Sort(q.values.Get("sort"))
	if q.values.Has("sort") && !slices.Contains(commerce.Sorts, sort) {
		q.invalid("sort", commerce.CodeUnsupported, "must be one of RELEVANCE, NAME, PRICE_ASC, PRICE_DESC, NEWEST")
	}
	return sort
}

func (q *query) category() commerce.CategoryID {
	if !q.values.Has("category") {
		return ""
	}
	id, err := commerce.ParseCategoryID("category", q.values.Get("category"))
	q.fail(err)
	return id
}

var facetCode = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (q *query) facets() map[string][]string {
	list := q.values["facet"]
	if len(list) > maxFacets {
		q.invalid("facet", commerce.CodeOutOfRange, "must be there at most "+strconv.Itoa(maxFacets)+" times")
		return nil
	}
	var facets map[string][]string
	for _, text := range list {
		code, value, found := strings.Cut(text, ":")
		if !found || !facetCode.MatchString(code) || value == "" || len(value) > maxFacet {
			q.invalid("facet", commerce.CodeInvalid, "must be a facet's code and a value of it, separated by a colon")
			return nil
		}
		if facets == nil {
			facets = map[string][]string{}
		}
		facets[code] = append(facets[code], value)
	}
	return facets
}

// searchParameters are those of a list of products.
var searchParameters = []string{"facet", "priceMin", "priceMax", "inStock", "sort", "first", "after", "width"}

const defaultFirst = 20

// products is what a list of products is asked for.
func (q *query) products() commerce.SearchQuery {
	page := q.page(defaultFirst)
	return commerce.SearchQuery{
		Text: q.text("q", commerce.MaxText), Sort: q.sort(), First: page.First, After: page.After,
		Filter: commerce.SearchFilter{
			Category: q.category(), Facets: q.facets(), PriceMin: q.decimal("priceMin"), PriceMax: q.decimal("priceMax"),
			InStock: q.flag("inStock"),
		},
	}
}
