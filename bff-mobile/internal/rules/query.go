package rules

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/portico-bff/portico/schema/commerce"
)

// Query is the parameters of a request that were checked: what is read of them fits the
// contract.
type Query struct {
	operation *Operation
	values    url.Values
}

// ParseQuery reads the part of a target behind the question mark. It refuses what is not
// well formed, parameters that the operation does not have, those but lists that are
// there twice, since what they mean would be a guess, and values that do not fit. Errors
// are [commerce.InputError]s that name the parameter.
func (o *Operation) ParseQuery(raw string) (Query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return Query{}, &commerce.InputError{Field: "query", Code: commerce.CodeInvalid, Message: "must be well-formed"}
	}
	for name, list := range values {
		if err := o.checkParameter(name, list); err != nil {
			return Query{}, err
		}
	}
	for _, p := range o.Query {
		if p.Required && !values.Has(p.Name) {
			return Query{}, &commerce.InputError{Field: p.Name, Code: commerce.CodeRequired, Message: "is required"}
		}
	}
	return Query{operation: o, values: values}, nil
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

func (o *Operation) checkParameter(name string, list []string) error {
	p := parameter(o.Query, name)
	switch {
	case p == nil && !plainName.MatchString(name):
		return &commerce.InputError{Field: "query", Code: commerce.CodeUnsupported, Message: "holds an unknown parameter"}
	case p == nil:
		return &commerce.InputError{Field: name, Code: commerce.CodeUnsupported, Message: "is not a known parameter"}
	case p.Kind == List:
		return p.checkList(list)
	case len(list) > 1:
		return &commerce.InputError{Field: name, Code: commerce.CodeInvalid, Message: "must not be there twice"}
	}
	return p.checkValue(name, list[0])
}

func (p *Parameter) checkList(list []string) error {
	if err := p.CheckCount(p.Name, len(list)); err != nil {
		return err
	}
	for _, text := range list {
		if err := p.Items.checkValue(p.Name, text); err != nil {
			return err
		}
	}
	return nil
}

// checkValue checks a value as it is written in a query or a header.
func (s *Schema) checkValue(name, text string) error {
	refuse := func(message string) error {
		return &commerce.InputError{Field: name, Code: commerce.CodeInvalid, Message: message}
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return refuse("must be valid UTF-8 without control characters")
	}
	switch s.Kind {
	case Whole:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || strconv.FormatInt(n, 10) != text {
			return refuse("must be a whole number")
		}
		return s.CheckWhole(name, n)
	case Flag:
		if text != "true" && text != "false" {
			return refuse("must be true or false")
		}
		return nil
	default:
		return s.CheckText(name, text)
	}
}

// CheckPath answers what is wrong with the parameters in the path, which value tells by name.
func (o *Operation) CheckPath(value func(name string) string) error {
	for i := range o.Params {
		if err := o.Params[i].checkValue(o.Params[i].Name, value(o.Params[i].Name)); err != nil {
			return err
		}
	}
	return nil
}

// CheckHeaders answers what is wrong with the headers that the contract bounds: lines tells
// those of a name, and several mean what one with commas between does. Other headers may be
// anything.
func (o *Operation) CheckHeaders(lines func(name string) []string) error {
	for i := range o.Headers {
		p := &o.Headers[i]
		sent := lines(p.Name)
		value := strings.Join(sent, ", ")
		switch {
		case p.Required && value == "":
			return &commerce.InputError{Field: p.Name, Code: commerce.CodeRequired, Message: "must be sent"}
		case len(sent) == 0:
			continue
		}
		if err := p.checkValue(p.Name, value); err != nil {
			return err
		}
	}
	return nil
}

func parameter(list []Parameter, name string) *Parameter {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}

// Has tells whether the parameter was sent.
func (q Query) Has(name string) bool { return q.values.Has(name) }

// Text is a parameter's value, or its default, or nothing.
func (q Query) Text(name string) string {
	if q.values.Has(name) {
		return q.values.Get(name)
	}
	if q.operation == nil {
		return ""
	}
	if p := parameter(q.operation.Query, name); p != nil {
		return p.Default
	}
	return ""
}

// Number is a whole number's value, or its default, or 0.
func (q Query) Number(name string) int {
	n, _ := strconv.Atoi(q.Text(name)) // it was checked
	return n
}

// Flag is a flag's value, or false.
func (q Query) Flag(name string) bool { return q.Text(name) == "true" }

// List is the values of a parameter that may be there several times.
func (q Query) List(name string) []string { return q.values[name] }
