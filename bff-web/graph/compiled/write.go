package compiled

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// writer writes an answer's data. What turns out to be null where it must not is cut
// off again, up to the next place where it may.
type writer struct {
	*run
	buf   []byte
	path  ast.Path
	later []place // of objects that were written, and of which something is deferred
}

var (
	errNull  = errors.New("the requested element is null which the schema does not allow")
	errFloat = errors.New("cannot marshal infinite no NaN float values")
)

// object writes an object, p being a pointer to it and, where something below it was
// resolved ahead, i its place in g. It answers false when it must be null.
func (w *writer) object(g *group, n *node, p reflect.Value, i int) bool {
	ok := true
	if len(n.later) > 0 {
		w.later = append(w.later, place{g, i, slices.Clone(w.path)})
	}
	w.buf = append(w.buf, '{')
	for k, f := range n.fields {
		if k > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = append(w.buf, f.key...)
		if f.how != fromName && !w.field(g, f, p, i) {
			ok = false
		}
	}
	w.buf = append(w.buf, '}')
	return ok
}

func (w *writer) field(g *group, f *field, p reflect.Value, i int) bool {
	if f.slot < 0 && f.shape.leaf != noLeaf && f.shape.elem == nil && f.how == fromMember {
		return w.leaf(&f.shape, p.Elem().Field(f.member), f.step)
	}
	if f.how == fromInline || f.how == fromMethod {
		return w.called(f, p)
	}
	var below *group
	at := i
	if f.slot >= 0 {
		if failed := g.read[f.slot].failed; failed != nil && failed[i] {
			return w.null(f.shape.nonNull)
		}
		if below = g.below[f.slot]; below != nil && below.starts != nil {
			at = below.starts[i]
		}
	}
	w.path = append(w.path, f.step)
	ok := w.value(&f.shape, w.read(g, f, p, i), below, at)
	w.path = w.path[:len(w.path)-1]
	return ok
}

// called writes what a function answers of the object. A panic of it is the field's error,
// as that of a resolver is.
func (w *writer) called(f *field, p reflect.Value) (ok bool) {
	start, depth := len(w.buf), len(w.path)
	w.path = append(w.path, f.step)
	defer func() {
		if panicked := recover(); panicked != nil {
			w.buf = w.buf[:start]
			reportAt(w.ctx, append(ast.Path(nil), w.path[:depth+1]...), w.oc.RecoverFunc(w.ctx, panicked))
			ok = w.null(f.shape.nonNull)
		}
		w.path = w.path[:depth]
	}()
	switch {
	case f.how == fromMethod:
		return w.value(&f.shape, w.method(f, p), nil, 0)
	case f.inline.text == nil:
		return w.value(&f.shape, f.inline.call(w.ctx, p.Interface(), f.given.of(w.run)), nil, 0)
	case f.shape.leaf == leafText:
		w.buf = appendText(w.buf, f.inline.text(w.ctx, p.Interface()))
		return true
	default:
		return w.value(&f.shape, reflect.ValueOf(f.inline.text(w.ctx, p.Interface())), nil, 0)
	}
}

// read is a field's value.
func (w *writer) read(g *group, f *field, p reflect.Value, i int) reflect.Value {
	if f.how == fromMember {
		return p.Elem().Field(f.member)
	}
	return g.read[f.slot].values.Index(i)
}

// method calls a method of the domain's.
func (w *writer) method(f *field, p reflect.Value) reflect.Value {
	v := p.Method(f.method).Call(nil)[0]
	addressable := reflect.New(v.Type()).Elem()
	addressable.Set(v)
	return addressable
}

// null writes null. It answers false where that must not be.
func (w *writer) null(nonNull bool) bool {
	w.buf = append(w.buf, "null"...)
	return !nonNull
}

// missing writes null for a value that is not there.
func (w *writer) missing(nonNull bool) bool {
	if nonNull {
		w.report(errNull)
	}
	return w.null(nonNull)
}

// report adds an error of the place that is written, unless it has one.
func (w *writer) report(err error) {
	path := append(ast.Path(nil), w.path...)
	for _, known := range graphql.GetErrors(w.ctx) {
		if known.Path.String() == path.String() {
			return
		}
	}
	reportAt(w.ctx, path, err)
}

func (w *writer) value(s *shape, v reflect.Value, below *group, at int) bool {
	switch {
	case s.elem != nil:
		return w.list(s, v, below, at)
	case s.node == nil:
		return w.leaf(s, v, nil)
	}
	if s.pointer {
		if v.IsNil() {
			return w.missing(s.nonNull)
		}
	} else {
		v = v.Addr()
	}
	start, deferred := len(w.buf), len(w.later)
	if w.object(below, s.node, v, at) {
		return true
	}
	w.buf, w.later = w.buf[:start], w.later[:deferred]
	return w.null(s.nonNull)
}

func (w *writer) list(s *shape, v reflect.Value, below *group, at int) bool {
	if v.IsNil() && !s.nonNull {
		return w.null(false)
	}
	start, deferred, ok := len(w.buf), len(w.later), true
	w.buf = append(w.buf, '[')
	w.path = append(w.path, nil)
	for j := range v.Len() {
		if j > 0 {
			w.buf = append(w.buf, ',')
		}
		w.path[len(w.path)-1] = ast.PathIndex(j)
		if !w.value(s.elem, v.Index(j), below, at+j) {
			ok = false
		}
	}
	w.path = w.path[:len(w.path)-1]
	if !ok {
		w.buf, w.later = w.buf[:start], w.later[:deferred]
		return w.null(s.nonNull)
	}
	w.buf = append(w.buf, ']')
	return true
}

// leaf writes a scalar; own is the field's place where it is not in the path yet.
func (w *writer) leaf(s *shape, v reflect.Value, own ast.PathElement) bool {
	if s.pointer {
		if v.IsNil() {
			return w.nothing(s, own)
		}
		v = v.Elem()
	}
	switch s.leaf {
	case leafText:
		w.buf = appendText(w.buf, v.String())
	case leafEnum:
		text := v.String()
		if !s.values[text] {
			text = ""
		}
		w.buf = appendText(w.buf, text)
	case leafInt:
		w.buf = strconv.AppendInt(w.buf, v.Int(), 10)
	case leafBool:
		w.buf = strconv.AppendBool(w.buf, v.Bool())
	case leafFloat:
		n := v.Float()
		if math.IsInf(n, 0) || math.IsNaN(n) {
			w.unwritable(own)
			return true
		}
		w.buf = appendFloat(w.buf, n)
	case leafTime:
		t, _ := v.Addr().Interface().(*time.Time)
		if t.IsZero() {
			return w.nothing(s, own)
		}
		w.buf = append(w.buf, '"')
		w.buf = t.AppendFormat(w.buf, time.RFC3339Nano)
		w.buf = append(w.buf, '"')
	}
	return true
}

// nothing writes null for a scalar that is not there.
func (w *writer) nothing(s *shape, own ast.PathElement) bool {
	if s.nonNull {
		if own != nil {
			w.path = append(w.path, own)
			defer func() { w.path = w.path[:len(w.path)-1] }()
		}
		w.report(errNull)
	}
	return w.null(s.nonNull)
}

// unwritable is for a number that JSON has no word for. It is null whatever the schema
// says, since that is found out when all else is written.
func (w *writer) unwritable(own ast.PathElement) {
	if own != nil {
		w.path = append(w.path, own)
		defer func() { w.path = w.path[:len(w.path)-1] }()
	}
	reportAt(w.ctx, append(ast.Path(nil), w.path...), errFloat)
	w.buf = append(w.buf, "null"...)
}
