package odoo

import (
	"encoding/json"
	"strconv"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/schema/commerce"
)

// body is the JSON of a query: what is empty is left out, but for the domain.
func (q query) body() ([]byte, error) {
	const usual = 256
	b, err := q.Domain.appendTo(append(make([]byte, 0, usual+q.Domain.room()), `{"domain":`...))
	if err != nil {
		return nil, err
	}
	if len(q.Fields) > 0 {
		b = appendList(append(b, `,"fields":`...), q.Fields)
	}
	if q.Order != "" {
		b = quick.AppendText(append(b, `,"order":`...), q.Order)
	}
	if q.Limit != 0 {
		b = strconv.AppendInt(append(b, `,"limit":`...), int64(q.Limit), 10)
	}
	if q.Archived {
		b = append(b, `,"context":{"active_test":false}`...)
	}
	return append(b, '}'), nil
}

// room is about how long the long ones of its lists are written.
func (d domain) room() int {
	const (
		around = len(`"",`)
		digits = 9
	)
	n := 0
	for _, part := range d {
		l, _ := part.(leaf)
		switch list := l.value.(type) {
		case []commerce.SKU:
			for _, sku := range list {
				n += len(sku) + around
			}
		case []recordID:
			n += len(list) * digits
		}
	}
	return n
}

func (d domain) appendTo(b []byte) ([]byte, error) {
	b = append(b, '[')
	for i, part := range d {
		if i > 0 {
			b = append(b, ',')
		}
		l, compares := part.(leaf)
		if !compares {
			var err error
			if b, err = appendValue(b, part); err != nil {
				return nil, err
			}
			continue
		}
		b = quick.AppendText(append(b, '['), l.field)
		b = quick.AppendText(append(b, ','), l.operator)
		var err error
		if b, err = appendValue(append(b, ','), l.value); err != nil {
			return nil, err
		}
		b = append(b, ']')
	}
	return append(b, ']'), nil
}

// appendValue writes what is looked for in most conditions by itself, and leaves the rest to
// encoding/json.
func appendValue(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case string:
		return quick.AppendText(b, v), nil
	case recordID:
		return strconv.AppendInt(b, int64(v), 10), nil
	case []recordID:
		b = append(b, '[')
		for i, id := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(id), 10)
		}
		return append(b, ']'), nil
	case []commerce.SKU:
		return appendList(b, v), nil
	case []string:
		return appendList(b, v), nil
	default:
		text, err := json.Marshal(v)
		return append(b, text...), err
	}
}

func appendList[S ~string](b []byte, texts []S) []byte {
	b = append(b, '[')
	for i, text := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = quick.AppendText(b, text)
	}
	return append(b, ']')
}
