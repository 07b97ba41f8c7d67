// Package config reads settings from the environment into plain structs, and
// renders their documentation. It is the only package that knows the decoder:
// the structs' tags (env, envDefault, envPrefix, doc) are inert elsewhere.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// Error is a variable that cannot be used. It never holds the variable's value.
type Error struct {
	Variable string
	Problem  string // "must be a duration such as 1.5s"
}

// Error names the variable, then what is wrong with it.
func (e *Error) Error() string { return e.Variable + " " + e.Problem }

// Bad is an [Error] about a variable.
func Bad(variable, problem string) error { return &Error{Variable: variable, Problem: problem} }

// Decode fills target, a pointer to a struct with env tags, from environ, a list
// of KEY=VALUE. Every variable's name begins with prefix, which may be empty. An
// empty variable counts as not set. All bad values are reported at once, joined,
// by name and never by value. A target that was filled is asked to Validate, if
// it has that method.
func Decode(environ []string, prefix string, target any) error {
	return DecodeMap(Map(environ), prefix, target)
}

// DecodeMap is Decode from a map of variables.
func DecodeMap(vars map[string]string, prefix string, target any) error {
	err := env.ParseWithOptions(target, env.Options{Environment: vars, Prefix: prefix})
	if err == nil {
		if v, ok := target.(interface{ Validate() error }); ok {
			return v.Validate()
		}
		return nil
	}
	var errs []error
	for _, field := range Fields(target) {
		if problem := field.problem(vars, prefix, target); problem != "" {
			errs = append(errs, Bad(prefix+field.Key, problem))
		}
	}
	if len(errs) == 0 {
		// A mistake in a struct's tags: no value of the environment is in this text.
		return fmt.Errorf("settings of %T: %w", target, err)
	}
	return errors.Join(errs...)
}

// problem says what is wrong with one field's variable, or nothing. The decoder's
// own errors name struct fields and repeat values, so that each variable is
// decoded once more on its own.
func (f Field) problem(vars map[string]string, prefix string, target any) string {
	key := prefix + f.Key
	value := vars[key]
	if value == "" {
		if f.Required {
			return "is required"
		}
		return ""
	}
	alone := reflect.New(reflect.TypeOf(target).Elem()).Interface()
	err := env.ParseWithOptions(alone, env.Options{Environment: map[string]string{key: value}, Prefix: prefix})
	if _, bad := errors.AsType[env.ParseError](err); bad {
		return "must be " + f.form()
	}
	return ""
}

// Map is environ as a map; of a variable that is there twice the last one counts.
func Map(environ []string) map[string]string {
	vars := make(map[string]string, len(environ))
	for _, entry := range environ {
		if key, value, ok := strings.Cut(entry, "="); ok {
			vars[key] = value
		}
	}
	return vars
}

// Field is one variable of a struct.
type Field struct {
	Key      string // without the section's prefix
	Type     reflect.Type
	Default  string
	Required bool
	Secret   bool
	Doc      string
	pair     string // what stands between key and value of a map
	index    []int
}

// Fields lists the variables of a struct, or a pointer to one, in their order.
func Fields(target any) []Field {
	t := reflect.TypeOf(target)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return fields(t, "", nil)
}

func fields(t reflect.Type, prefix string, at []int) []Field {
	var list []Field
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(slices.Clone(at), i)
		tag, tagged := f.Tag.Lookup("env")
		switch {
		case !f.IsExported():
		case tagged:
			list = append(list, newField(f, prefix, tag, index))
		case f.Type.Kind() == reflect.Struct:
			list = append(list, fields(f.Type, prefix+f.Tag.Get("envPrefix"), index)...)
		}
	}
	return list
}

func newField(f reflect.StructField, prefix, tag string, index []int) Field {
	name, options, _ := strings.Cut(tag, ",")
	return Field{
		Key:      prefix + name,
		Type:     f.Type,
		Default:  f.Tag.Get("envDefault"),
		Required: strings.Contains(options, "required") || strings.Contains(options, "notEmpty"),
		Secret:   secret(f.Type),
		Doc:      f.Tag.Get("doc"),
		pair:     cmp.Or(f.Tag.Get("envKeyValSeparator"), ":"),
		index:    index,
	}
}

// secret tells whether values of a type, or the elements of a list of it, hide themselves.
func secret(t reflect.Type) bool {
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t.Name() == "Secret"
}

// form says how a value of the field's type is written.
func (f Field) form() string {
	switch f.Type {
	case reflect.TypeFor[time.Duration]():
		return "a duration such as 1.5s or 200ms"
	case reflect.TypeFor[slog.Level]():
		return "debug, info, warn or error"
	}
	forms := map[reflect.Kind]string{
		reflect.Bool:    "true or false",
		reflect.Int:     "a whole number",
		reflect.Int64:   "a whole number",
		reflect.Uint:    "a whole number, 0 or more",
		reflect.Float64: "a number",
		reflect.Map:     "a list of key" + f.pair + "value pairs, separated by commas",
		reflect.Slice:   "a list, separated by commas",
	}
	return cmp.Or(forms[f.Type.Kind()], "one of the values in the documentation")
}
