package ordering

import (
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// row is an order of a first page; cursor is the ERP's, empty for what the ERP does not have.
type row struct {
	order  *commerce.Order
	cursor string
}

// paged makes a page of rows. The ERP's cursor goes on behind an order as long as no order that
// only the checkout knows is left behind it: the ERP's later pages do not have these.
func paged(rows []row, page commerce.OrderPage) *commerce.OrderPage {
	last := -1 // of those that only the checkout knows
	for i, r := range rows {
		if r.cursor == "" {
			last = i
		}
	}
	behind := ""
	for i, r := range rows {
		if r.cursor != "" {
			behind = r.cursor
		}
		cursor := behind
		if i < last || cursor == "" {
			cursor = within{r.order.Number, r.order.PlacedAt, min(i+1, commerce.MaxBatch)}.String()
		}
		page.Orders, page.Cursors = append(page.Orders, r.order), append(page.Cursors, cursor)
		page.EndCursor = cursor
	}
	return &page
}

// within is a place in the first page: behind an order, with so many orders up to it. All of
// them may have come to the ERP by the time that somebody goes on there.
type within struct {
	number commerce.OrderNumber
	at     time.Time
	upTo   int
}

// nowhere is no place in the first page.
var nowhere within

// withinMark begins the cursors that are made here. No system's cursor has a tilde.
const withinMark = "~"

// String is the place as a cursor, opaque to clients.
func (w within) String() string {
	plain := strconv.FormatInt(w.at.UnixNano(), 10) + "." + strconv.Itoa(w.upTo) + "." + string(w.number)
	return withinMark + base64.RawURLEncoding.EncodeToString([]byte(plain))
}

var withinPattern = regexp.MustCompile(`^(-?[0-9]{1,19})\.([0-9]{1,3})\.([A-Za-z0-9_-]{1,32})$`)

const maxWithin = 120 // bytes; longer than any that is written here

// parseWithin reads a cursor that was made here; nowhere when it is a system's, or empty.
func parseWithin(after string) (within, error) {
	text, ours := strings.CutPrefix(after, withinMark)
	if !ours {
		return nowhere, nil
	}
	plain, err := base64.RawURLEncoding.Strict().DecodeString(text)
	parts := withinPattern.FindStringSubmatch(string(plain))
	if err != nil || len(after) > maxWithin || parts == nil {
		return nowhere, errCursor
	}
	nanos, err := strconv.ParseInt(parts[1], 10, 64)
	upTo, _ := strconv.Atoi(parts[2]) // digits
	if err != nil || upTo > commerce.MaxBatch {
		return nowhere, errCursor
	}
	return within{commerce.OrderNumber(parts[3]), time.Unix(0, nanos), upTo}, nil
}

var errCursor = &commerce.InputError{Field: "after", Code: commerce.CodeInvalid, Message: "must be a cursor of this list"}

// first is the first page again, large enough to go on in.
func (w within) first(page commerce.Cursor) commerce.Cursor {
	if w == nowhere {
		return page
	}
	return commerce.Cursor{First: min(page.First+w.upTo, commerce.MaxBatch)}
}

// goOn is what first has behind the place, or, when that is nothing since orders have come to
// the ERP meanwhile, what behind it has, which reads the ERP's orders behind a cursor.
func (w within) goOn(first *commerce.OrderPage, behind func(after string) (*commerce.OrderPage, error)) (*commerce.OrderPage, error) {
	rest, reached := w.rest(first)
	if len(rest.Orders) > 0 || !rest.HasNext {
		return rest, nil
	}
	next, err := behind(first.EndCursor)
	if err != nil || reached {
		return next, err
	}
	next, _ = w.rest(next)
	return next, nil
}

// rest is what a page from the first has behind the place; reached tells whether the page
// has the place itself.
func (w within) rest(page *commerce.OrderPage) (rest *commerce.OrderPage, reached bool) {
	if w == nowhere {
		return page, true
	}
	from := 0
	for i, o := range page.Orders {
		if reached = o.Number == w.number; reached {
			from = i + 1
			break
		}
		if !o.PlacedAt.Before(w.at) {
			from = i + 1 // should the order be gone
		}
	}
	out := *page
	out.Orders, out.Cursors = page.Orders[from:], page.Cursors[from:]
	if len(out.Orders) == 0 && !page.HasNext {
		out.EndCursor = ""
	}
	return &out, reached
}
