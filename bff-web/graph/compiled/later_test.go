package compiled

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// inParts executes a query that defers two fragments for a receiver.
func inParts(t *testing.T, rec Receiver) {
	t.Helper()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `type Query{a:Int}`})
	e := New[roots](Config{Schema: schema, Present: graphql.DefaultErrorPresenter, Recover: graphql.DefaultRecover, Keep: 1}, struct{}{})
	oc := operation(t, schema, `{__typename ...@defer(label:"a"){x:__typename} ...@defer(label:"b"){y:__typename}}`, nil)
	oc.RecoverFunc = func(context.Context, any) error { return errors.New("panicked") }
	rec.Begin = func(ctx context.Context) context.Context { return ctx }
	e.RunParts(t.Context(), oc, rec)
}

// A receiver that panics with a part costs that part, and no process.
func TestAPanicOfTheReceiverIsThePartsError(t *testing.T) {
	t.Parallel()
	var got []Part
	inParts(t, Receiver{
		Settle: func(_ context.Context, parts []Part) []ast.Path {
			if l := parts[0].Label; l != nil && *l == "a" {
				panic("oh")
			}
			return nil
		},
		Take: func(_ context.Context, parts []Part, more bool) bool {
			got = append(got, parts...)
			assert.Equal(t, len(got) < 3, more)
			return true
		},
	})
	require.Len(t, got, 3)
	for _, p := range got {
		if p.Label == nil || *p.Label == "b" {
			assert.NotNil(t, p.Data)
			assert.Empty(t, p.Errors)
			continue
		}
		assert.Nil(t, p.Data)
		assert.EqualError(t, p.Errors, "input: panicked\n")
	}
}

// When the receiver panics, nothing of what was under way is left.
func TestNothingIsLeftOfAReceiverThatPanics(t *testing.T) {
	t.Parallel()
	for range 3 { // parts are ready in any order
		synctest.Test(t, func(t *testing.T) {
			taken := 0
			assert.Panics(t, func() {
				inParts(t, Receiver{
					Settle: func(context.Context, []Part) []ast.Path { return nil },
					Take: func(context.Context, []Part, bool) bool {
						if taken++; taken == 2 {
							panic("oh")
						}
						return true
					},
				})
			})
			assert.Panics(t, func() {
				inParts(t, Receiver{Settle: func(_ context.Context, parts []Part) []ast.Path {
					if parts[0].Label == nil {
						panic("oh")
					}
					return nil
				}})
			})
		})
	}
}

// When nobody takes what comes, what is under way is told to end.
func TestWhatNobodyTakesIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		given := 0
		inParts(t, Receiver{
			Settle: func(ctx context.Context, parts []Part) []ast.Path {
				if parts[0].Label != nil && *parts[0].Label == "b" {
					<-ctx.Done() // for ever, else
					given++
				}
				return nil
			},
			Take: func(_ context.Context, parts []Part, _ bool) bool { return parts[0].Label == nil },
		})
		assert.Equal(t, 1, given)
	})
}

// of is a portion of n objects of a list.
func of(n int) (p portion, errs gqlerror.List) {
	for i := range n {
		path := ast.Path{ast.PathName("products"), ast.PathIndex(i)}
		p.parts = append(p.parts, Part{Path: path})
		errs = append(errs, gqlerror.WrapPath(append(path[:2:2], ast.PathName("price")), errors.New("gone")))
	}
	return p, errs
}

func TestErrorsGoToTheirParts(t *testing.T) {
	t.Parallel()
	p, errs := of(12)
	errs = append(errs, &gqlerror.Error{Message: "everywhere"}, &gqlerror.Error{Path: ast.Path{ast.PathName("products"), ast.PathIndex(12)}}, &gqlerror.Error{Path: ast.Path{ast.PathName("products")}})
	p.blame(errs)
	assert.Equal(t, gqlerror.List{errs[0], errs[12]}, p.parts[0].Errors)
	for i := range 11 {
		assert.Equal(t, gqlerror.List{errs[i+1]}, p.parts[i+1].Errors)
	}
}

// Time per object must not grow with their number: an outage has an error for each.
func BenchmarkErrorsGoToTheirParts(b *testing.B) {
	for b.Loop() {
		p, errs := of(5_000)
		p.blame(errs)
	}
}
