package odoo

import (
	"cmp"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// holds tells whether a field's value fulfills a condition.
func holds(f field, v any, cond condition) bool {
	switch cond.operator {
	case "=":
		return equal(f, v, cond.operand)
	case "!=":
		return !equal(f, v, cond.operand)
	case "in":
		return oneOf(f, v, cond.operand)
	case "not in":
		return !oneOf(f, v, cond.operand)
	case "<", "<=", ">", ">=":
		return ordered(f, v, cond)
	default:
		return resembles(v, cond)
	}
}

func equal(f field, v, operand any) bool {
	if operand == nil || operand == false {
		return v == false || empty(v)
	}
	if list, ok := v.([]int); ok {
		return oneOfIDs(list, operand)
	}
	if r, ok := v.(ref); ok {
		if name, isText := operand.(string); isText {
			return r.name == name
		}
		return oneOfIDs([]int{r.id}, operand)
	}
	n, ok := compareValues(f, v, operand)
	return ok && n == 0
}

func oneOfIDs(ids []int, operand any) bool {
	number, ok := operand.(json.Number)
	if !ok {
		return false
	}
	for _, id := range ids {
		if strconv.Itoa(id) == number.String() {
			return true
		}
	}
	return false
}

func oneOf(f field, v, operand any) bool {
	list, _ := operand.([]any)
	for _, one := range list {
		if equal(f, v, one) {
			return true
		}
	}
	return false
}

func ordered(f field, v any, cond condition) bool {
	if empty(v) {
		return false
	}
	n, ok := compareValues(f, v, cond.operand)
	if !ok {
		return false
	}
	switch cond.operator {
	case "<":
		return n < 0
	case "<=":
		return n <= 0
	case ">":
		return n > 0
	default:
		return n >= 0
	}
}

// compareValues orders a value against one from the wire; false when they cannot be compared.
func compareValues(f field, v, operand any) (int, bool) {
	switch v := v.(type) {
	case string:
		text, ok := operand.(string)
		return cmp.Compare(v, text), ok
	case bool:
		other, ok := operand.(bool)
		return cmp.Compare(boolToInt(v), boolToInt(other)), ok
	case time.Time:
		text, ok := operand.(string)
		if f.kind == datetime && len(text) == len(dateLayout) {
			text += " 00:00:00"
		}
		return cmp.Compare(stamp(f, v), text), ok
	default:
		a, okA := number(v)
		b, okB := number(operand)
		if !okA || !okB {
			return 0, false
		}
		return a.Cmp(b), true
	}
}

func number(v any) (*big.Rat, bool) {
	switch v := v.(type) {
	case int:
		return new(big.Rat).SetInt64(int64(v)), true
	case ref:
		return new(big.Rat).SetInt64(int64(v.id)), true
	case decimal:
		return new(big.Rat).SetString(string(v))
	case json.Number:
		if len(v) > 40 || strings.ContainsAny(v.String(), "eE") {
			return nil, false // an exponent could ask for gigabytes of digits
		}
		return new(big.Rat).SetString(v.String())
	default:
		return nil, false
	}
}

// resembles does the like family: % is any text, _ any character. Without an
// equals sign the pattern may begin and end anywhere.
func resembles(v any, cond condition) bool {
	pattern, ok := cond.operand.(string)
	if !ok {
		return false
	}
	operator, negated := strings.CutPrefix(cond.operator, "not ")
	text := textOf(v)
	if strings.HasSuffix(operator, "ilike") {
		pattern, text = strings.ToLower(pattern), strings.ToLower(text)
	}
	if !strings.HasPrefix(operator, "=") {
		pattern = "%" + pattern + "%"
	}
	return like(text, pattern) != negated
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case ref:
		return v.name
	case int:
		return strconv.Itoa(v)
	case decimal:
		return v.text()
	default:
		return ""
	}
}

// like matches SQL's LIKE with a backslash as escape. It remembers the last % only, so it takes no more than len(text) × len(pattern) steps.
func like(text, pattern string) bool {
	retryText, retryPattern := "", ""
	open := false
	for {
		switch {
		case strings.HasPrefix(pattern, "%"):
			pattern = pattern[1:]
			retryText, retryPattern, open = text, pattern, true
			continue
		case text == "" && pattern == "":
			return true
		}
		if t, p, ok := step(text, pattern); ok {
			text, pattern = t, p
			continue
		}
		if !open || retryText == "" {
			return false
		}
		_, n := utf8.DecodeRuneInString(retryText)
		retryText = retryText[n:]
		text, pattern = retryText, retryPattern
	}
}

// step matches one character.
func step(text, pattern string) (restText, restPattern string, ok bool) {
	if text == "" || pattern == "" {
		return "", "", false
	}
	c, n := utf8.DecodeRuneInString(text)
	p, k := utf8.DecodeRuneInString(pattern)
	if p == '_' {
		return text[n:], pattern[k:], true
	}
	if p == '\\' && len(pattern) > k {
		pattern = pattern[k:]
		p, k = utf8.DecodeRuneInString(pattern)
	}
	return text[n:], pattern[k:], c == p
}
