package syncing

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
)

// forms are the forms that items have had, by what cursors call them.
var forms = map[byte]string{
	mark | 1: "9c388f973a4d8bd1",
}

// Items in apps' copies are as they were when they were told. Where their form changes, copies that are around have
// to be made anew: raise form, and add a line to forms. A field that all may do without is a reason as well:
// nothing tells an app of a product that has it from now on.
func TestTheFormOfItemsIsTheOneThatCursorsName(t *testing.T) {
	t.Parallel()
	shape := shapeOf(reflect.TypeFor[api.SyncItem]())
	sum := sha256.Sum256([]byte(fmt.Sprint(shape, " pictures of ", imageWidth, " tree ", treeID)))
	const enough = 8
	assert.Equal(t, forms[form], hex.EncodeToString(sum[:enough]), "the form of items is another, so form has to be raised; they are now\n%s", shape)
	assert.Len(t, forms, form&^markMask, "a line for each")
}

// shapeOf is how JSON shows a type: the names of its fields, when they are left out, and what they hold.
func shapeOf(of reflect.Type) string {
	switch of.Kind() {
	case reflect.Pointer:
		return "maybe " + shapeOf(of.Elem())
	case reflect.Slice:
		return "list of " + shapeOf(of.Elem())
	case reflect.Struct:
		fields := make([]string, of.NumField())
		for i := range fields {
			fields[i] = of.Field(i).Tag.Get("json") + ": " + shapeOf(of.Field(i).Type)
		}
		return "{" + strings.Join(fields, "; ") + "}"
	default:
		return of.Kind().String()
	}
}
