package magento

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// criteria is a searchCriteria: groups are AND, the filters of one are OR.
type criteria struct {
	groups   map[int]map[int]*filter
	sorts    map[int]*sortOrder
	pageSize int // 0 asks for everything
	page     int
}

type filter struct{ field, value, condition string }

type sortOrder struct{ field, direction string }

// numbered reads the index of "name[3]" and answers what follows it.
func numbered(key, name string) (int, bool) {
	rest, ok := strings.CutPrefix(key, name+"[")
	if !ok {
		return 0, false
	}
	digits, _, ok := strings.Cut(rest, "]")
	n, err := strconv.Atoi(digits)
	return n, ok && (err == nil || digits == "")
}

// parts cuts "searchCriteria[filter_groups][0][filters][0][field]" into its names.
func parts(key string) []string {
	rest, ok := strings.CutPrefix(key, "searchCriteria[")
	if !ok {
		return nil
	}
	return strings.Split(strings.TrimSuffix(rest, "]"), "][")
}

func parseCriteria(query url.Values) (*criteria, error) {
	c := &criteria{groups: map[int]map[int]*filter{}, sorts: map[int]*sortOrder{}, page: 1}
	asked := query.Has("searchCriteria")
	for key, values := range query {
		names := parts(key)
		if names == nil {
			continue
		}
		asked = true
		if err := c.set(names, values[len(values)-1]); err != nil {
			return nil, err
		}
	}
	if !asked {
		return nil, required("searchCriteria")
	}
	return c, nil
}

func (c *criteria) set(names []string, value string) error {
	number := func(text string) int { n, _ := strconv.Atoi(text); return n }
	switch {
	case len(names) == 1 && (names[0] == "pageSize" || names[0] == "page_size"):
		c.pageSize = number(value)
	case len(names) == 1 && (names[0] == "currentPage" || names[0] == "current_page"):
		c.page = max(1, number(value))
	case len(names) == 3 && (names[0] == "sortOrders" || names[0] == "sort_orders"):
		i := number(names[1])
		if c.sorts[i] == nil {
			c.sorts[i] = &sortOrder{direction: "DESC"}
		}
		if names[2] == "field" {
			c.sorts[i].field = value
		} else {
			c.sorts[i].direction = strings.ToUpper(value)
		}
	case len(names) == 5 && (names[0] == "filterGroups" || names[0] == "filter_groups"):
		c.filter(number(names[1]), number(names[3])).set(names[4], value)
	default:
		return badRequest("Property \"%1\" does not have accessor method \"%2\" in class \"%3\".",
			strings.Join(names, "."), "set", "Magento\\Framework\\Api\\SearchCriteriaInterface")
	}
	return nil
}

func (c *criteria) filter(group, i int) *filter {
	if c.groups[group] == nil {
		c.groups[group] = map[int]*filter{}
	}
	if c.groups[group][i] == nil {
		c.groups[group][i] = &filter{condition: "eq"}
	}
	return c.groups[group][i]
}

func (f *filter) set(name, value string) {
	switch name {
	case "field":
		f.field = value
	case "value":
		f.value = value
	case "condition_type", "conditionType":
		f.condition = value
	}
}

// holds tells whether a value meets the condition; known is false when Magento knows no such condition.
func (f *filter) holds(value string) (ok, known bool) {
	switch f.condition {
	case "eq":
		return strings.EqualFold(value, f.value), true
	case "neq":
		return !strings.EqualFold(value, f.value), true
	case "in":
		return slices.Contains(strings.Split(f.value, ","), value), true
	case "nin":
		return !slices.Contains(strings.Split(f.value, ","), value), true
	case "gt":
		return compare(value, f.value) > 0, true
	case "gteq", "moreq", "from":
		return compare(value, f.value) >= 0, true
	case "lt":
		return compare(value, f.value) < 0, true
	case "lteq", "to":
		return compare(value, f.value) <= 0, true
	case "null":
		return value == "", true
	case "notnull":
		return value != "", true
	}
	return false, false
}

// compare orders numbers as numbers and anything else as text.
func compare(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return strings.Compare(a, b)
}

type resultWire[W any] struct {
	Items    []W          `json:"items"`
	Criteria criteriaWire `json:"search_criteria"`
	Total    int          `json:"total_count"`
}

type criteriaWire struct {
	Groups      []struct{} `json:"filter_groups"`
	PageSize    int        `json:"page_size,omitempty"`
	CurrentPage int        `json:"current_page,omitempty"`
}

// search answers the rows that meet the query, as Magento's collections do: a
// page past the end repeats the last one.
func search[T, W any](query url.Values, rows []*T, fields map[string]func(*T) string, wire func(*T) W) (any, error) {
	c, err := parseCriteria(query)
	if err != nil {
		return nil, err
	}
	found := slices.Clone(rows)
	for _, group := range c.groups {
		if found, err = narrow(found, group, fields); err != nil {
			return nil, err
		}
	}
	if err := order(found, c.sorts, fields); err != nil {
		return nil, err
	}
	result := resultWire[W]{Items: []W{}, Criteria: criteriaWire{Groups: []struct{}{}, PageSize: c.pageSize, CurrentPage: c.page}, Total: len(found)}
	for _, row := range pageOf(found, c.pageSize, c.page) {
		result.Items = append(result.Items, wire(row))
	}
	return result, nil
}

func pageOf[T any](rows []T, size, page int) []T {
	if size <= 0 || len(rows) == 0 {
		return rows
	}
	last := (len(rows) + size - 1) / size
	from := (min(page, last) - 1) * size
	return rows[from:min(from+size, len(rows))]
}

func narrow[T any](rows []*T, group map[int]*filter, fields map[string]func(*T) string) ([]*T, error) {
	for _, f := range group {
		if fields[f.field] == nil {
			return nil, badRequest("Column not found: Unknown column '%1' in 'where clause'", f.field)
		}
		if _, known := f.holds(""); !known {
			return nil, badRequest("Unknown condition type \"%1\"", f.condition)
		}
	}
	return slices.DeleteFunc(rows, func(row *T) bool {
		for _, f := range group {
			if ok, _ := f.holds(fields[f.field](row)); ok {
				return false
			}
		}
		return true
	}), nil
}

func order[T any](rows []*T, sorts map[int]*sortOrder, fields map[string]func(*T) string) error {
	indexes := make([]int, 0, len(sorts))
	for i, s := range sorts {
		if fields[s.field] == nil {
			return badRequest("Column not found: Unknown column '%1' in 'order clause'", s.field)
		}
		indexes = append(indexes, i)
	}
	slices.Sort(indexes)
	slices.SortStableFunc(rows, func(a, b *T) int {
		for _, i := range indexes {
			s := sorts[i]
			result := compare(fields[s.field](a), fields[s.field](b))
			if s.direction == "DESC" {
				result = -result
			}
			if result != 0 {
				return result
			}
		}
		return 0
	})
	return nil
}
