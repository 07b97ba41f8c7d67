package graph

import (
	"log/slog"
	"testing"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/stretchr/testify/assert"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// What the executor says in words of its own is told only where it speaks of the query:
// neither what was sent nor what was met goes back in a message.
func TestW4_TheExecutorsOwnWordsAreNotPassedOn(t *testing.T) {
	t.Parallel()
	r := &Resolver{Log: slog.New(slog.DiscardHandler)}
	for name, c := range map[string]struct {
		err           *gqlerror.Error
		message, code string
	}{
		"no code":      {&gqlerror.Error{Message: "c4n4ry is not null"}, "internal error", CodeInternal},
		"a syntax":     {&gqlerror.Error{Message: "Unexpected c4n4ry", Extensions: map[string]any{"code": errcode.ParseFailed}}, "the query has a syntax error", errcode.ParseFailed},
		"a suggestion": {&gqlerror.Error{Message: "Cannot query field. Did you mean c4n4ry?", Extensions: map[string]any{"code": errcode.ValidationFailed}}, "Cannot query field.", errcode.ValidationFailed},
		"more":         {&gqlerror.Error{Message: "no", Extensions: map[string]any{"code": errcode.ValidationFailed, "debug": "c4n4ry"}}, "no", errcode.ValidationFailed},
	} {
		shown := r.Present(t.Context(), c.err)
		assert.Equal(t, c.message, shown.Message, name)
		assert.Equal(t, map[string]any{"code": c.code}, shown.Extensions, name)
	}
}
