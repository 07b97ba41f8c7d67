package graph

import (
	"context"
	"math"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/schema/commerce"
)

// The freshness contract says what a field may hold when its system cannot answer in
// time. The schema declares it with @freshness; a query may ask for less. What is
// declared is a set of stand-ins for the value:
//
//	STALE    an older value up to an age; else null, with an error
//	DEFAULT  an older value up to an age, if one is given; else a declared constant
//	NULL     null, with an error
//	FAIL     nothing: the null goes up
//
// One contract is stricter than another when each of its stand-ins is one of the other's.

// OnError says what takes the place of a value that could not be had.
type OnError = generated.OnError

// The words of OnError, from the strictest.
const (
	Fail    = generated.OnErrorFail    // nothing does: the null goes up to the boundary
	Null    = generated.OnErrorNull    // null, with an error
	Stale   = generated.OnErrorStale   // an older value, else null, with an error
	Default = generated.OnErrorDefault // an older value if there is an age for it, else a constant that the schema declares
)

// Unbounded is the age up to which a stale value is taken where only the cache's policy
// bounds it.
const Unbounded time.Duration = math.MaxInt64

// Tolerance is what a field may hold in place of a fresh value. It follows from the
// query's text and the schema alone.
type Tolerance struct {
	OnError   OnError
	StaleUpTo time.Duration // age of the oldest stale value; 0 takes none
}

// undeclared is the tolerance of a field without @freshness: what the cache gives.
var undeclared = Tolerance{OnError: Stale, StaleUpTo: Unbounded}

const (
	directiveName = "freshness"
	onErrorName   = "onError"
	staleUpToName = "staleUpTo"
	defaultName   = "default"
)

// ToleranceOf is what the query takes for f: what the schema declares, or less where f
// has a directive of its own. The query was validated with [Rules], so that the directive
// is well-formed and takes no more than the schema gives; what is not is not heeded.
func ToleranceOf(f *ast.Field) Tolerance {
	if f == nil || f.Definition == nil {
		return undeclared
	}
	declared, ok := declaredOf(f.Definition)
	if !ok {
		return undeclared
	}
	own := f.Directives.ForName(directiveName)
	if own == nil {
		return declared
	}
	if tight, err := declared.tighten(own); err == nil {
		return tight
	}
	return declared
}

// declarations remembers what field definitions declare. There are as many as a schema
// has fields, and a process has one schema.
var declarations sync.Map // *ast.FieldDefinition → declaration

type declaration struct {
	Tolerance
	declared bool
}

// declaredOf is what the schema declares for a field, and whether it declares anything.
func declaredOf(def *ast.FieldDefinition) (Tolerance, bool) {
	if known, ok := declarations.Load(def); ok {
		d, _ := known.(declaration)
		return d.Tolerance, d.declared
	}
	var d declaration
	if own := def.Directives.ForName(directiveName); own != nil {
		var err error
		d.Tolerance, err = declaredBy(own)
		d.declared = err == nil
	}
	declarations.Store(def, d)
	return d.Tolerance, d.declared
}

// declaredBy reads a directive of the schema.
func declaredBy(d *ast.Directive) (Tolerance, error) {
	w, err := wishOf(d)
	if err != nil {
		return Tolerance{}, err
	}
	if w.onError == "" {
		return Tolerance{}, &badFreshness{reasonInvalid, "onError is required in the schema"}
	}
	t := Tolerance{OnError: w.onError, StaleUpTo: w.staleUpTo}
	switch {
	case t.OnError == Stale && !w.bounded:
		return t, &badFreshness{reasonInvalid, "onError: STALE needs a staleUpTo"}
	case w.bounded && t.OnError != Stale && t.OnError != Default:
		return t, &badFreshness{reasonInvalid, "staleUpTo has no meaning with onError: " + string(t.OnError)}
	case (t.OnError == Default) != (d.Arguments.ForName(defaultName) != nil):
		return t, &badFreshness{reasonInvalid, "onError: DEFAULT and default go together"}
	}
	return t, nil
}

// within is ctx for reading what t takes.
func (t Tolerance) within(ctx context.Context) context.Context {
	if t.StaleUpTo == Unbounded {
		return ctx
	}
	return commerce.WithStaleUpTo(ctx, t.StaleUpTo)
}

// bound is the age of the oldest stale value that t takes, for a batch.
func (t Tolerance) bound() time.Duration {
	if t.StaleUpTo == Unbounded {
		return load.NoBound
	}
	return t.StaleUpTo
}

// tolerance is that of the field which is being resolved.
func tolerance(ctx context.Context) Tolerance {
	if fc := graphql.GetFieldContext(ctx); fc != nil {
		return ToleranceOf(fc.Field.Field)
	}
	return undeclared
}

// wish is what a directive says.
type wish struct {
	onError   OnError // empty when it says nothing
	staleUpTo time.Duration
	bounded   bool // whether staleUpTo is given
}

// wishOf reads a directive's arguments. What is null is not given.
func wishOf(d *ast.Directive) (w wish, err error) {
	for _, arg := range d.Arguments {
		v := arg.Value
		switch {
		case v == nil || v.Kind == ast.NullValue:
		case v.Kind == ast.Variable:
			return w, &badFreshness{reasonInvalid, arg.Name + " must be written in the query itself, not in a variable"}
		case arg.Name == onErrorName:
			w.onError = OnError(v.Raw)
			if v.Kind != ast.EnumValue || !w.onError.IsValid() {
				return w, &badFreshness{reasonInvalid, "onError must be FAIL, NULL, DEFAULT or STALE"}
			}
		case arg.Name == staleUpToName:
			w.bounded = true
			if w.staleUpTo, err = span(v); err != nil {
				return w, err
			}
		}
	}
	return w, nil
}

var (
	spans = regexp.MustCompile(`^(\d{1,6})(ms|s|m|h)$`)
	units = map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour}
)

// span reads a Duration of the schema.
func span(v *ast.Value) (time.Duration, error) {
	parts := spans.FindStringSubmatch(v.Raw)
	if v.Kind != ast.StringValue || parts == nil {
		return 0, &badFreshness{reasonInvalid, `staleUpTo must be a text of up to 6 digits and ms, s, m or h, such as "90s"`}
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil {
		return 0, err
	}
	return time.Duration(n) * units[parts[2]], nil
}

// spanText writes a span as the schema does.
func spanText(d time.Duration) string {
	for _, unit := range []string{"h", "m", "s"} {
		if d > 0 && d%units[unit] == 0 {
			return strconv.FormatInt(int64(d/units[unit]), 10) + unit
		}
	}
	if d == 0 {
		return "0s"
	}
	return strconv.FormatInt(int64(d/time.Millisecond), 10) + "ms"
}
