// Package rules is what the contract says of what clients send, as data that is
// generated from it, and the checks that follow from that. Nothing here reads the
// contract itself: a process checks inputs with what was compiled once, at its start.
package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/portico-bff/portico/schema/commerce"
)

// Kind is the kind of a value.
type Kind uint8

// The kinds of values that clients send.
const (
	Text Kind = iota + 1
	Whole
	Flag
	List
	Object
)

// Schema is what a value has to be.
type Schema struct {
	Kind Kind

	// Of a text. Lengths count characters; a MaxLength of 0 is no limit beside the pattern's.
	Pattern              string
	Must                 string // what the pattern asks for, behind "must"; may be empty
	Enum                 []string
	MinLength, MaxLength int

	Min, Max int64 // of a whole number

	// Of a list.
	MinItems, MaxItems int
	Items              *Schema

	Fields []Field // of an object; it has no others

	pattern *regexp.Regexp
}

// Field is a member of an object.
type Field struct {
	Name     string
	Required bool
	*Schema
}

// Parameter is a parameter in the path or the query, or a header.
type Parameter struct {
	Name     string
	Required bool
	Default  string // of a query parameter that is left out; empty when there is none
	*Schema
}

// Operation is an operation of the contract: what it takes.
type Operation struct {
	ID, Method, Path string      // Path as the contract writes it: /v1/carts/{id}
	Reads            bool        // it changes nothing, whatever its method
	Params           []Parameter // of the path
	Query, Headers   []Parameter
	Body             *Schema // nil when there is none
	BodyRequired     bool
}

// Rules is the operations by their ids.
type Rules struct{ operations map[string]*Operation }

// Compile makes rules of operations, whose schemas hold what it compiled: it is called once for
// them, before anybody uses them. An error is a mistake in what was generated.
func Compile(operations []Operation) (*Rules, error) {
	r := &Rules{operations: make(map[string]*Operation, len(operations))}
	known := patterns{}
	for i := range operations {
		o := &operations[i]
		for _, list := range [][]Parameter{o.Params, o.Query, o.Headers} {
			for _, p := range list {
				if err := p.compile(known); err != nil {
					return nil, fmt.Errorf("%s: %s: %w", o.ID, p.Name, err)
				}
			}
		}
		if err := o.Body.compile(known); err != nil {
			return nil, fmt.Errorf("%s: %w", o.ID, err)
		}
		r.operations[o.ID] = o
	}
	return r, nil
}

// MustCompile is [Compile] for what was generated; a mistake in it ends the process at
// its start.
func MustCompile(operations []Operation) *Rules {
	r, err := Compile(operations)
	if err != nil {
		panic(err)
	}
	return r
}

// Operation is the operation with an id of the contract; one that is not in the contract
// takes nothing.
func (r *Rules) Operation(id string) *Operation {
	if o := r.operations[id]; o != nil {
		return o
	}
	return &Operation{ID: id}
}

// patterns are those that were compiled: many inputs share one.
type patterns map[string]*regexp.Regexp

func (k patterns) compile(text string) (*regexp.Regexp, error) {
	if known := k[text]; known != nil {
		return known, nil
	}
	made, err := regexp.Compile(text)
	k[text] = made
	return made, err
}

func (s *Schema) compile(known patterns) (err error) {
	if s == nil || s.pattern != nil {
		return nil
	}
	if s.Pattern != "" {
		if s.pattern, err = known.compile(s.Pattern); err != nil {
			return err
		}
	}
	if err := s.Items.compile(known); err != nil {
		return err
	}
	for _, f := range s.Fields {
		if err := f.compile(known); err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}

// CheckText answers what is wrong with a text, as an [commerce.InputError] that names
// field and does not repeat the text. A nil schema asks for nothing.
func (s *Schema) CheckText(field, text string) error {
	if s == nil {
		return nil
	}
	refuse := func(code commerce.Code, message string) error {
		return &commerce.InputError{Field: field, Code: code, Message: message}
	}
	switch n := utf8.RuneCountInString(text); {
	case n < s.MinLength && n == 0:
		return refuse(commerce.CodeRequired, "must not be empty")
	case n < s.MinLength:
		return refuse(commerce.CodeInvalid, "must be at least "+strconv.Itoa(s.MinLength)+" characters long")
	case s.MaxLength > 0 && n > s.MaxLength:
		return refuse(commerce.CodeTooLong, "must be at most "+strconv.Itoa(s.MaxLength)+" characters long")
	case len(s.Enum) > 0 && !slices.Contains(s.Enum, text):
		return refuse(commerce.CodeUnsupported, "must be one of "+strings.Join(s.Enum, ", "))
	case s.pattern != nil && !s.pattern.MatchString(text):
		return refuse(commerce.CodeInvalid, s.must())
	}
	return nil
}

func (s *Schema) must() string {
	if s.Must == "" {
		return "must have the form that the contract names"
	}
	return "must " + s.Must
}

// CheckWhole answers what is wrong with a number, as CheckText does.
func (s *Schema) CheckWhole(field string, n int64) error {
	if s == nil || n >= s.Min && n <= s.Max {
		return nil
	}
	return &commerce.InputError{
		Field: field, Code: commerce.CodeOutOfRange,
		Message: "must be between " + strconv.FormatInt(s.Min, 10) + " and " + strconv.FormatInt(s.Max, 10),
	}
}

// CheckCount answers what is wrong with the length of a list, as CheckText does.
func (s *Schema) CheckCount(field string, n int) error {
	if s == nil || n >= s.MinItems && n <= s.MaxItems {
		return nil
	}
	return &commerce.InputError{
		Field: field, Code: commerce.CodeOutOfRange,
		Message: "must be there " + strconv.Itoa(s.MinItems) + " to " + strconv.Itoa(s.MaxItems) + " times",
	}
}

// Field is what the object's field has to be; nil when s is nil or has no such field.
func (s *Schema) Field(name string) *Schema {
	if s == nil {
		return nil
	}
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return s.Fields[i].Schema
		}
	}
	return nil
}

// Item is what each item of the list has to be; nil when s is nil.
func (s *Schema) Item() *Schema {
	if s == nil {
		return nil
	}
	return s.Items
}
