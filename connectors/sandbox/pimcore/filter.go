package pimcore

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var (
	errFilter        = errors.New("unable to decode filter")
	errIntrospection = errors.New("GraphQL introspection is not allowed, but the query contained __schema or __type")
)

// columnError is what the database says of a column that is not there.
type columnError struct{ column string }

func (e *columnError) Error() string {
	return fmt.Sprintf("An exception occurred while executing a query: SQLSTATE[42S22]: Column not found: 1054 Unknown column '%s' in 'where clause'", e.column)
}

// row reads a database column of an object: its text, whether it is not NULL, whether the column exists.
type row interface {
	column(name string) (text string, set, known bool)
}

// condition is a filter read once and asked of every row.
type condition func(r row) (bool, error)

// parseFilter reads the filter language: {"column":"value"}, {"column":null}, {"column":{"$gt":5}},
// {"$and":[…]}, {"$or":[…]}; an array at the top is an AND.
func parseFilter(text string) (condition, error) {
	decoder := json.NewDecoder(bytes.NewBufferString(text))
	decoder.UseNumber()
	var document any
	if err := decoder.Decode(&document); err != nil {
		return nil, errFilter
	}
	return parseNode(document)
}

func parseNode(node any) (condition, error) {
	switch n := node.(type) {
	case []any:
		return parseList(n, true)
	case map[string]any:
		conditions := make([]condition, 0, len(n))
		for name, operand := range n {
			c, err := parseEntry(name, operand)
			if err != nil {
				return nil, err
			}
			conditions = append(conditions, c)
		}
		return all(conditions), nil
	default:
		return nil, errFilter
	}
}

func parseEntry(name string, operand any) (condition, error) {
	switch name {
	case "$and", "$or":
		list, ok := operand.([]any)
		if !ok {
			return nil, errFilter
		}
		return parseList(list, name == "$and")
	}
	operators, ok := operand.(map[string]any)
	if !ok {
		return compare(name, "$eq", operand)
	}
	conditions := make([]condition, 0, len(operators))
	for operator, value := range operators {
		c, err := compare(name, operator, value)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
	}
	return all(conditions), nil
}

func parseList(list []any, and bool) (condition, error) {
	conditions := make([]condition, len(list))
	for i, node := range list {
		c, err := parseNode(node)
		if err != nil {
			return nil, err
		}
		conditions[i] = c
	}
	if and {
		return all(conditions), nil
	}
	return func(r row) (bool, error) {
		for _, c := range conditions {
			if ok, err := c(r); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	}, nil
}

func all(conditions []condition) condition {
	return func(r row) (bool, error) {
		for _, c := range conditions {
			if ok, err := c(r); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	}
}

// compare asks one column. As in SQL, a comparison with NULL is never true.
func compare(name, operator string, operand any) (condition, error) {
	want, isNull := literal(operand)
	test, err := tester(operator, want)
	if err != nil {
		return nil, err
	}
	return func(r row) (bool, error) {
		text, set, known := r.column(name)
		switch {
		case !known:
			return false, &columnError{name}
		case operator == "$notnull":
			return set, nil
		case isNull:
			return set == (operator == "$not"), nil
		default:
			return set && test(text), nil
		}
	}, nil
}

func tester(operator, want string) (func(text string) bool, error) {
	switch operator {
	case "$eq":
		return func(text string) bool { return strings.EqualFold(text, want) }, nil
	case "$not":
		return func(text string) bool { return !strings.EqualFold(text, want) }, nil
	case "$like":
		return func(text string) bool { return like(strings.ToLower(text), strings.ToLower(want)) }, nil
	case "$notlike":
		return func(text string) bool { return !like(strings.ToLower(text), strings.ToLower(want)) }, nil
	case "$gt":
		return func(text string) bool { return order(text, want) > 0 }, nil
	case "$gte":
		return func(text string) bool { return order(text, want) >= 0 }, nil
	case "$lt":
		return func(text string) bool { return order(text, want) < 0 }, nil
	case "$lte":
		return func(text string) bool { return order(text, want) <= 0 }, nil
	case "$notnull":
		return nil, nil //nolint:nilnil // never asked: compare answers this operator itself
	default:
		return nil, errFilter
	}
}

// literal is a JSON scalar as the database sees it.
func literal(operand any) (text string, isNull bool) {
	switch v := operand.(type) {
	case nil:
		return "", true
	case bool:
		if v {
			return "1", false
		}
		return "0", false
	default:
		return fmt.Sprint(v), false
	}
}

// order compares numbers as numbers, all else as text.
func order(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}

// like matches SQL patterns: % is anything, _ one character. It backtracks to the last % only.
func like(text, pattern string) bool {
	t, p, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '%':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '_' || pattern[p] == text[t]):
			t++
			p++
		case star >= 0:
			mark++
			t, p = mark, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "%") == ""
}
