package connectors_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors"
	"github.com/portico-bff/portico/connectors/transport"
)

// spoil fills every setting with what cannot be used and answers the variables' names.
func spoil(v reflect.Value) []string {
	var names []string
	for i := range v.NumField() {
		field, tag := v.Field(i), v.Type().Field(i).Tag.Get("env")
		if v.Type().Field(i).Anonymous {
			names = append(names, spoil(field)...)
			continue
		}
		name, _, _ := strings.Cut(tag, ",")
		names = append(names, name)
		switch field.Kind() {
		case reflect.String:
			field.SetString("\x00 ")
		case reflect.Int, reflect.Int64:
			field.SetInt(-1)
		case reflect.Slice:
			field.Set(reflect.ValueOf([]string{"\x00 "}))
		case reflect.Map:
			field.Set(reflect.ValueOf(map[string]string{"\x00 ": "\x00 "}))
		}
	}
	return names
}

// leaves are the errors that err joins.
func leaves(err error) []error {
	var many interface {
		error
		Unwrap() []error
	}
	if !errors.As(err, &many) {
		return []error{err}
	}
	var list []error
	for _, one := range many.Unwrap() {
		list = append(list, leaves(one)...)
	}
	return list
}

// Whoever set a variable wrongly is told which.
func TestEveryBadSettingNamesItsVariable(t *testing.T) {
	t.Parallel()
	for _, kind := range connectors.Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			var variables []string
			settings, err := kind.Read(func(target any) error {
				variables = spoil(reflect.ValueOf(target).Elem())
				return nil
			})
			require.NoError(t, err)
			_, err = settings.Open(transport.Deps{})
			require.Error(t, err)
			told := leaves(err)
			assert.GreaterOrEqual(t, len(told), 5, "all at once")
			for _, one := range told {
				var bad *transport.SettingError
				require.ErrorAs(t, one, &bad)
				assert.Contains(t, variables, bad.Variable)
				assert.NotEmpty(t, bad.Problem)
			}
		})
	}
}
