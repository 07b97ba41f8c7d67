package odoo

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// matcher tells whether a row fulfills a condition.
type matcher func(row) bool

// compile turns a domain in prefix form into one condition. Terms that no
// operator joins all have to hold.
func (d *dialect) compile(c *env, m *model, domain []any) (matcher, error) {
	var stack []matcher
	for i := len(domain) - 1; i >= 0; i-- {
		var err error
		if stack, err = d.push(c, m, stack, domain[i]); err != nil {
			return nil, err
		}
	}
	return func(r row) bool {
		for _, match := range stack {
			if !match(r) {
				return false
			}
		}
		return true
	}, nil
}

// push puts one element of a domain, read from its end, on the stack.
func (d *dialect) push(c *env, m *model, stack []matcher, element any) ([]matcher, error) {
	if leaf, ok := element.([]any); ok {
		match, err := d.leaf(c, m, leaf)
		return append(stack, match), err
	}
	operator, _ := element.(string)
	n := len(stack)
	switch {
	case operator == "!" && n >= 1:
		inner := stack[n-1]
		return append(stack[:n-1], func(r row) bool { return !inner(r) }), nil
	case operator == "&" && n >= 2:
		a, b := stack[n-1], stack[n-2]
		return append(stack[:n-2], func(r row) bool { return a(r) && b(r) }), nil
	case operator == "|" && n >= 2:
		a, b := stack[n-1], stack[n-2]
		return append(stack[:n-2], func(r row) bool { return a(r) || b(r) }), nil
	default:
		return nil, valueError("Domain is not well-formed near %v", element)
	}
}

// operators are those a leaf may use.
var operators = map[string]bool{
	"=": true, "!=": true, ">": true, ">=": true, "<": true, "<=": true, "in": true, "not in": true,
	"like": true, "not like": true, "ilike": true, "not ilike": true, "=like": true, "=ilike": true,
	"child_of": true, "parent_of": true,
}

// leaf compiles [field, operator, value].
func (d *dialect) leaf(c *env, m *model, leaf []any) (matcher, error) {
	if len(leaf) != 3 {
		return nil, valueError("Invalid leaf %v", leaf)
	}
	operator, _ := leaf[1].(string)
	if constant, ok := constantLeaf(leaf[0], operator, leaf[2]); ok {
		return func(row) bool { return constant }, nil
	}
	path, ok := leaf[0].(string)
	if !ok || !operators[operator] {
		return nil, valueError("Invalid leaf %v", leaf)
	}
	if list, isList := leaf[2].([]any); (operator == "in" || operator == "not in") != isList && operator != "child_of" && operator != "parent_of" {
		if !isList {
			return nil, valueError("operator '%s' wants a list", operator)
		}
		return nil, valueError("operator '%s' wants a single value, not %d", operator, len(list))
	}
	return d.along(c, m, strings.Split(path, "."), condition{operator: operator, operand: leaf[2]})
}

// constantLeaf knows [1, "=", 1], which is always true, and [0, "=", 1], which never is.
func constantLeaf(left any, operator string, right any) (value, ok bool) {
	a, isNumber := left.(json.Number)
	b, same := right.(json.Number)
	if !isNumber || !same || operator != "=" {
		return false, false
	}
	return a == b, true
}

// condition is a leaf's operator and value.
type condition struct {
	operator string
	operand  any
}

// along compiles a condition on a path: "location_id.usage". A path over several
// records holds when one of them fulfills the condition.
func (d *dialect) along(c *env, m *model, path []string, cond condition) (matcher, error) {
	f, ok := m.fields[path[0]]
	if !ok {
		return nil, valueError("Invalid field %s.%s in leaf (%s)", m.name, path[0], strings.Join(path, "."))
	}
	name := path[0]
	if len(path) == 1 {
		return d.test(c, m, name, cond)
	}
	target := d.models[f.to]
	if target == nil {
		return nil, valueError("Field %s.%s has no records to follow", m.name, name)
	}
	rest, err := d.along(c, target, path[1:], cond)
	if err != nil {
		return nil, err
	}
	return func(r row) bool {
		for _, id := range idsOf(r.value(c, name)) {
			if next := target.byID(id); next != nil && rest(next) {
				return true
			}
		}
		return false
	}, nil
}

// idsOf are the records a value names.
func idsOf(v any) []int {
	switch v := v.(type) {
	case ref:
		return []int{v.id}
	case []int:
		return v
	case int:
		return []int{v}
	default:
		return nil
	}
}

// test compiles a condition on a field.
func (d *dialect) test(c *env, m *model, name string, cond condition) (matcher, error) {
	f := m.fields[name]
	if cond.operator == "child_of" || cond.operator == "parent_of" {
		target := m
		if name != "id" {
			target = d.models[f.to]
		}
		if target == nil || target.parent == "" {
			return nil, valueError("Field %s.%s is not part of a hierarchy", m.name, name)
		}
		related, err := family(c, target, cond)
		if err != nil {
			return nil, err
		}
		return func(r row) bool {
			for _, id := range idsOf(r.value(c, name)) {
				if related[id] {
					return true
				}
			}
			return false
		}, nil
	}
	return func(r row) bool { return holds(f, r.value(c, name), cond) }, nil
}

// family is the ids of the operand's records and of all below or above them.
func family(c *env, m *model, cond condition) (map[int]bool, error) {
	list, ok := cond.operand.([]any)
	if !ok {
		list = []any{cond.operand}
	}
	var frontier []int
	for _, v := range list {
		number, _ := v.(json.Number)
		id, err := strconv.Atoi(number.String())
		if err != nil && v != false {
			return nil, valueError("%s wants ids", cond.operator)
		}
		frontier = append(frontier, id)
	}
	related := map[int]bool{}
	for len(frontier) > 0 {
		id := frontier[0]
		frontier = frontier[1:]
		if id == 0 || related[id] {
			continue
		}
		related[id] = true
		if cond.operator == "child_of" {
			frontier = append(frontier, children(c, m, id)...)
		} else if r := m.byID(id); r != nil {
			frontier = append(frontier, idsOf(r.value(c, m.parent))...)
		}
	}
	return related, nil
}

func children(c *env, m *model, id int) []int {
	var ids []int
	for _, r := range m.withNumber(m.parent, id) {
		if parent, ok := r.value(c, m.parent).(ref); ok && parent.id == id {
			ids = append(ids, r.id())
		}
	}
	return ids
}

// mentions tells whether a domain has a leaf on the field.
func mentions(domain []any, field string) bool {
	for _, element := range domain {
		if leaf, ok := element.([]any); ok && len(leaf) == 3 && leaf[0] == field {
			return true
		}
	}
	return false
}

// candidates narrows a search to the rows that a term which has to hold finds by
// its index. Only terms before the first operator certainly have to hold alone.
func (d *dialect) candidates(c *env, m *model, domain []any) []row {
	for _, element := range domain {
		leaf, ok := element.([]any)
		if !ok || len(leaf) != 3 {
			break
		}
		name := fmt.Sprint(leaf[0])
		find := m.lookup[name]
		if find == nil {
			continue
		}
		if rows, ok := union(find, d.values(c, m, leaf)); ok {
			return rows
		}
	}
	return m.rows()
}

// values are those that a leaf's field may have, or nothing when a lookup does not help.
func (d *dialect) values(c *env, m *model, leaf []any) []any {
	list, isList := leaf[2].([]any)
	switch {
	case leaf[1] == "in" && isList:
		return list
	case leaf[1] == "=" && !isList:
		return []any{leaf[2]}
	case leaf[1] == "child_of":
		name, _ := leaf[0].(string)
		target := d.models[m.fields[name].to]
		if target == nil {
			return nil
		}
		related, err := family(c, target, condition{operator: "child_of", operand: leaf[2]})
		if err != nil {
			return nil
		}
		ids := make([]any, 0, len(related))
		for id := range related {
			ids = append(ids, json.Number(strconv.Itoa(id)))
		}
		return ids
	default:
		return nil
	}
}

// union looks all values up; false when there are none or one cannot be looked up.
func union(find lookup, operands []any) ([]row, bool) {
	var rows []row
	seen := map[int]bool{}
	for _, operand := range operands {
		found, ok := find(operand)
		if !ok {
			return nil, false
		}
		for _, r := range found {
			if !seen[r.id()] {
				seen[r.id()] = true
				rows = append(rows, r)
			}
		}
	}
	return rows, len(operands) > 0
}
