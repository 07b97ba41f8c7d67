package odoo

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// position is a place in a list: right behind the record with this date and id. Records that are
// added later do not shift the pages behind it.
type position struct {
	at time.Time
	id recordID
}

// The lists that can be paged. A cursor of one is none of another.
const (
	cursorOrders   = "o1"
	cursorInvoices = "i1"
)

// cursor writes a position as an opaque text.
func (p position) cursor(list string) string {
	plain := fmt.Sprintf("%s.%d.%d", list, p.at.Unix(), p.id)
	return base64.RawURLEncoding.EncodeToString([]byte(plain))
}

// maxCursor is longer than any cursor that is written here.
const maxCursor = 80

// parseCursor reads what cursor wrote. Anything else is an InputError on "after".
func parseCursor(list, after string) (position, error) {
	if after == "" {
		return position{}, nil
	}
	plain, err := base64.RawURLEncoding.DecodeString(after)
	if err != nil || len(after) > maxCursor {
		return position{}, unknownCursor()
	}
	parts := strings.Split(string(plain), ".")
	if len(parts) != 3 || parts[0] != list {
		return position{}, unknownCursor()
	}
	seconds, err := strconv.ParseInt(parts[1], 10, 64)
	id, failed := strconv.ParseInt(parts[2], 10, 64)
	p := position{at: time.Unix(seconds, 0).UTC(), id: recordID(id)}
	if err != nil || failed != nil || id < 1 || p.at.Year() < 1 || p.at.Year() > 9999 || p.cursor(list) != after {
		return position{}, unknownCursor()
	}
	return p, nil
}

func unknownCursor() error {
	return &commerce.InputError{Field: "after", Code: commerce.CodeInvalid, Message: "must be a cursor of this list"}
}

// start checks a page's size and where it begins, before anything is asked.
func start(list string, page commerce.Cursor) (position, error) {
	if _, err := commerce.ParseFirst("first", page.First); err != nil {
		return position{}, err
	}
	return parseCursor(list, page.After)
}

// behind is the condition for what comes after p when field and id fall.
func (p position) behind(field, layout string) domain {
	if p.id == 0 {
		return nil
	}
	at := p.at.Format(layout)
	return domain{"|", leaf{field, "<", at}, "&", leaf{field, "=", at}, leaf{"id", "<", p.id}}
}
