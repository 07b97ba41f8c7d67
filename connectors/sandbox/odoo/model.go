package odoo

import (
	"encoding/json"
	"strings"
	"time"
)

// kind is a field's type, which says how an empty value looks and how values compare.
type kind int

const (
	char kind = iota
	integer
	float
	boolean
	date
	datetime
	many2one
	x2many
)

// field describes a field of a model; to is the related model's name.
type field struct {
	kind kind
	to   string
}

// model is a table: what it holds, how it is searched.
type model struct {
	name   string
	fields map[string]field
	rows   func() []row
	// lookup finds rows by a field's value where a scan would be slow.
	lookup map[string]lookup
	order  string // in which rows come when the call names no order
	parent string // the field that makes the model a tree; empty for none
}

// lookup answers the rows with a value, maybe more, never fewer; false when it
// cannot tell because the value is not of the field's type.
type lookup func(operand any) ([]row, bool)

// row is a record. A value is nil or "" (empty), string, int, bool, decimal, time.Time, ref or []int.
type row interface {
	id() int
	value(c *env, field string) any
}

// env is a call's context, as far as it matters here.
type env struct {
	Lang       string
	ActiveTest *bool
	Warehouse  int
	Location   int
}

func (c *env) hideArchived() bool { return c.ActiveTest == nil || *c.ActiveTest }

// decimal is a number in plain decimal text, written as Python writes a float.
type decimal string

// MarshalJSON writes at least one decimal place and no needless zeros: 12.0, 49.9.
func (d decimal) MarshalJSON() ([]byte, error) { return []byte(d.text()), nil }

func (d decimal) text() string {
	s := string(d)
	if !strings.Contains(s, ".") {
		return s + ".0"
	}
	s = strings.TrimRight(s, "0")
	if strings.HasSuffix(s, ".") {
		return s + "0"
	}
	return s
}

// ref is a many-to-one value.
type ref struct {
	id   int
	name string
}

// MarshalJSON writes [id, name].
func (r ref) MarshalJSON() ([]byte, error) { return json.Marshal([]any{r.id, r.name}) }

// record is a row that is simply kept.
type record map[string]any

func (r record) id() int { n, _ := r["id"].(int); return n }

func (r record) value(_ *env, field string) any { return r[field] }

// fixed makes a model's rows of records that never change.
func fixed(records []record) func() []row {
	rows := make([]row, len(records))
	for i, r := range records {
		rows[i] = r
	}
	return func() []row { return rows }
}

const (
	dateLayout     = "2006-01-02"
	datetimeLayout = "2006-01-02 15:04:05"
)

// empty tells whether a value counts as not set. Numbers and booleans never do.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case time.Time:
		return v.IsZero()
	case ref:
		return v.id == 0
	case []int:
		return len(v) == 0
	default:
		return false
	}
}

// wire is a value as the API writes it.
func wire(f field, v any) any {
	if list, ok := v.([]int); ok && list != nil {
		return list
	}
	if f.kind == x2many && empty(v) {
		return []int{}
	}
	if empty(v) {
		return false
	}
	if t, ok := v.(time.Time); ok {
		return stamp(f, t)
	}
	return v
}

func stamp(f field, t time.Time) string {
	if f.kind == date {
		return t.UTC().Format(dateLayout)
	}
	return t.UTC().Format(datetimeLayout)
}
