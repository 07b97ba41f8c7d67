package pimcore

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// element is an object or asset that listings list.
type element interface {
	object
	row
	id() int
	path() string
	published() bool
}

// connection is one page of a listing.
type connection struct {
	class string // "Product"
	kind  string // "object", for cursors
	page  []any  // edges
	total int
}

func (c connection) typename() string { return c.class + "Connection" }

func (c connection) field(name string, _ arguments, _ string) any {
	if name == "totalCount" {
		return c.total
	}
	return c.page
}

type edge struct {
	class, kind string
	node        element
}

func (e edge) typename() string { return e.class + "Edge" }

func (e edge) field(name string, _ arguments, _ string) any {
	if name == "cursor" {
		return e.kind + "-" + strconv.Itoa(e.node.id())
	}
	return e.node
}

// list answers a connection, or an error. It holds a page of elements, which are in the order of their ids. Without "first" it
// answers everything; "after" is a number of rows; asked ids say nothing about the order.
func list(class string, elements []element, args arguments) any {
	found, err := selected(elements, args)
	if err != nil {
		return err
	}
	if err := sortRows(found, args.texts("sortBy"), args.texts("sortOrder")); err != nil {
		return err
	}
	total := len(found)
	if after, ok := args.number("after"); ok {
		found = found[min(max(after, 0), len(found)):]
	}
	if first, ok := args.number("first"); ok {
		found = found[:min(max(first, 0), len(found))]
	}
	kind := "object"
	if class == "Asset" {
		kind = "asset"
	}
	edges := make([]any, len(found))
	for i, e := range found {
		edges[i] = edge{class: class, kind: kind, node: e}
	}
	return connection{class: class, kind: kind, page: edges, total: total}
}

func selected(elements []element, args arguments) ([]element, error) {
	conditions := []condition{}
	if filter := args.text("filter"); filter != "" {
		c, err := parseFilter(filter)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
	}
	ids, paths := split(args.text("ids")), split(args.text("fullpaths"))
	var found []element
	for _, e := range elements {
		if (!e.published() && args["published"] != false) || args.text("tags") != "" {
			continue
		}
		if (len(ids) > 0 && !slices.Contains(ids, strconv.Itoa(e.id()))) || (len(paths) > 0 && !slices.Contains(paths, e.path())) {
			continue
		}
		ok, err := all(conditions)(e)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, e)
		}
	}
	return found, nil
}

// split reads a list in one string; an item that holds a comma is in single quotes.
func split(list string) []string {
	var items []string
	var item strings.Builder
	quoted := false
	for _, r := range list {
		switch {
		case r == '\'':
			quoted = !quoted
		case r == ',' && !quoted:
			items = append(items, strings.TrimSpace(item.String()))
			item.Reset()
		default:
			item.WriteRune(r)
		}
	}
	if item.Len() > 0 {
		items = append(items, strings.TrimSpace(item.String()))
	}
	return items
}

func sortRows(rows []element, by, directions []string) error {
	for i, column := range slices.Backward(by) {
		if len(rows) > 0 {
			if _, _, known := rows[0].column(column); !known {
				return &columnError{column}
			}
		}
		sign := 1
		if i < len(directions) && strings.EqualFold(directions[i], "DESC") {
			sign = -1
		}
		slices.SortStableFunc(rows, func(a, b element) int {
			x, _, _ := a.column(column)
			y, _, _ := b.column(column)
			return sign * order(x, y)
		})
	}
	return nil
}

// one answers the element, or an error: the one with the id or path, exactly one of which has to be given.
func one(kind string, elements []element, args arguments) any {
	id, byID := args.number("id")
	path := args.text("fullpath")
	if byID == (path != "") {
		return errors.New("either id or fullpath expected")
	}
	for _, e := range elements {
		if (byID && e.id() == id) || (!byID && e.path() == path) {
			return e
		}
	}
	if byID {
		return fmt.Errorf("%s with id:'%d' not found", kind, id)
	}
	return fmt.Errorf("%s with fullpath:'%s' not found", kind, path)
}
