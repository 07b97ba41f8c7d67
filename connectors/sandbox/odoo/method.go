package odoo

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// methods are those that can be called, with the names of their arguments.
// "ids" and "context" belong to every call.
var methods = map[string]struct {
	args      []string
	onRecords bool // takes ids
}{
	"search_read":  {args: []string{"domain", "fields", "offset", "limit", "order", "load"}},
	"search_count": {args: []string{"domain", "limit"}},
	"search":       {args: []string{"domain", "offset", "limit", "order"}},
	"read":         {args: []string{"fields", "load"}, onRecords: true},
}

// query is a search's arguments.
type query struct {
	domain []any
	offset int
	limit  int // 0 means all
	order  string
}

func (d *dialect) call(m *model, method string, args arguments) (any, error) {
	if strings.HasPrefix(method, "_") {
		return nil, &fault{Status: http.StatusForbidden, Name: "odoo.exceptions.AccessError", Message: "Private methods (such as '" + m.name + "." + method + "') cannot be called remotely."}
	}
	signature, ok := methods[method]
	if !ok {
		return nil, werkzeug(http.StatusNotFound, "NotFound", "The method '"+m.name+"."+method+"' does not exist")
	}
	ids, err := checkNames(m.name+"."+method, signature.args, signature.onRecords, args)
	if err != nil {
		return nil, err
	}
	c, err := decodeEnv(args["context"])
	if err != nil {
		return nil, err
	}
	if method == "read" {
		return d.read(c, m, ids, args)
	}
	q, err := decodeQuery(args)
	if err != nil {
		return nil, err
	}
	found, err := d.search(c, m, q)
	if err != nil {
		return nil, err
	}
	switch method {
	case "search_count":
		return len(found), nil
	case "search":
		all := make([]int, len(found))
		for i, r := range found {
			all[i] = r.id()
		}
		return all, nil
	default:
		return d.readRows(c, m, found, args["fields"])
	}
}

// checkNames refuses arguments that the method does not have, and answers ids.
func checkNames(method string, known []string, onRecords bool, args arguments) ([]int, error) {
	var ids []int
	if err := decode(args["ids"], &ids); err != nil {
		return nil, err
	}
	if len(ids) > 0 && !onRecords {
		return nil, unprocessable("cannot call " + method + " with ids")
	}
	for _, name := range slices.Sorted(maps.Keys(args)) {
		if name != "ids" && name != "context" && !slices.Contains(known, name) {
			return nil, unprocessable("got an unexpected keyword argument '" + name + "'")
		}
	}
	return ids, nil
}

func decodeEnv(raw json.RawMessage) (*env, error) {
	var wire struct {
		Lang       string `json:"lang"`
		ActiveTest *bool  `json:"active_test"`
		Warehouse  int    `json:"warehouse_id"`
		Location   int    `json:"location"`
	}
	if err := decode(raw, &wire); err != nil {
		return nil, err
	}
	return &env{Lang: wire.Lang, ActiveTest: wire.ActiveTest, Warehouse: wire.Warehouse, Location: wire.Location}, nil
}

func decodeQuery(args arguments) (query, error) {
	var q query
	var limit, offset any
	for name, target := range map[string]any{"domain": &q.domain, "order": &q.order, "limit": &limit, "offset": &offset} {
		if err := decode(args[name], target); err != nil {
			return query{}, err
		}
	}
	var err error
	if q.limit, err = count("LIMIT", limit); err != nil {
		return query{}, err
	}
	q.offset, err = count("OFFSET", offset)
	return q, err
}

// count reads a limit or an offset; null and false mean none.
func count(name string, v any) (int, error) {
	if v == nil || v == false {
		return 0, nil
	}
	text, _ := v.(json.Number)
	n, err := strconv.Atoi(text.String())
	if err != nil {
		return 0, valueError("%s must be a number", name)
	}
	if n < 0 {
		return 0, &fault{Status: http.StatusInternalServerError, Name: "psycopg2.errors.InvalidRowCountInLimitClause", Message: name + " must not be negative"}
	}
	return n, nil
}

// search answers the rows that match, in order, cut to the page.
func (d *dialect) search(c *env, m *model, q query) ([]row, error) {
	match, err := d.compile(c, m, q.domain)
	if err != nil {
		return nil, err
	}
	_, archives := m.fields["active"]
	hide := archives && c.hideArchived() && !mentions(q.domain, "active")
	var found []row
	for _, r := range d.candidates(c, m, q.domain) {
		if hide && r.value(c, "active") == false {
			continue
		}
		if match(r) {
			found = append(found, r)
		}
	}
	if err := d.sort(c, m, found, q.order); err != nil {
		return nil, err
	}
	found = found[min(q.offset, len(found)):]
	if q.limit > 0 {
		found = found[:min(q.limit, len(found))]
	}
	return found, nil
}

func (d *dialect) read(c *env, m *model, ids []int, args arguments) (any, error) {
	rows := make([]row, len(ids))
	for i, id := range ids {
		if rows[i] = m.byID(id); rows[i] == nil {
			return nil, missing(m.name, id)
		}
	}
	return d.readRows(c, m, rows, args["fields"])
}

// byID finds a row, archived or not, or answers nil.
func (m *model) byID(id int) row {
	for _, r := range m.withNumber("id", id) {
		if r.id() == id {
			return r
		}
	}
	return nil
}

// readRows writes rows with the fields asked for, or with all.
func (d *dialect) readRows(c *env, m *model, rows []row, raw json.RawMessage) (any, error) {
	var names []string
	if err := decode(raw, &names); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = slices.Collect(maps.Keys(m.fields))
	}
	for _, name := range names {
		if _, ok := m.fields[name]; !ok {
			return nil, valueError("Invalid field '%s' on model '%s'", name, m.name)
		}
	}
	out := make([]map[string]any, len(rows))
	for i, r := range rows {
		out[i] = map[string]any{"id": r.id()}
		for _, name := range names {
			out[i][name] = wire(m.fields[name], r.value(c, name))
		}
	}
	return out, nil
}
