package graph

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/schema/commerce"
)

// The codes in extensions.code that are none of [codes].
const (
	CodeInternal = "INTERNAL"
	CodeBadInput = "BAD_USER_INPUT"
	CodeTooLarge = "ANSWER_TOO_LARGE"
)

type code struct {
	name    string // extensions.code
	message string // what a client reads
}

// codes maps the kinds of error to what a client sees. It is the only such table.
var codes = map[error]code{
	commerce.ErrInvalid:         {CodeBadInput, "invalid input"},
	commerce.ErrUnauthenticated: {"UNAUTHENTICATED", "sign in first"},
	commerce.ErrForbidden:       {"FORBIDDEN", "not allowed"},
	commerce.ErrNotFound:        {"NOT_FOUND", "not found"},
	commerce.ErrConflict:        {"CONFLICT", "conflict with the current state"},
	commerce.ErrRateLimited:     {"RATE_LIMITED", "too many requests"},
	commerce.ErrTimeout:         {"TIMEOUT", "not answered in time"},
	commerce.ErrUnavailable:     {"UNAVAILABLE", "unavailable now"},
	commerce.ErrUpstream:        {"UPSTREAM_ERROR", "unavailable now"},
	nil:                         {CodeInternal, "internal error"},
}

// Ours tells whether what a client sees of an error blames us, or a system behind us, and
// not the client.
func Ours(err *gqlerror.Error) bool {
	switch err.Extensions["code"] {
	case CodeInternal, CodeTooLarge, codes[commerce.ErrTimeout].name, codes[commerce.ErrUnavailable].name, codes[commerce.ErrUpstream].name:
		return true
	default:
		return false
	}
}

// kindOf is the kind of an error, with a spent deadline as a timeout.
func kindOf(err error) error {
	kind := commerce.KindOf(err)
	if kind == nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		return commerce.ErrTimeout
	}
	return kind
}

// Public is what a client sees of err: message, code, the input's field where one
// is to blame, and the request's id. It holds no path.
func Public(ctx context.Context, err error) *gqlerror.Error {
	c := codes[kindOf(err)]
	public := &gqlerror.Error{Message: c.message, Extensions: map[string]any{"code": c.name}}
	if input, ok := errors.AsType[*commerce.InputError](err); ok {
		public.Message = input.Error()
		public.Extensions["field"] = input.Field
		public.Extensions["reason"] = string(input.Code)
	}
	if public.Extensions["reason"] == nil && errors.Is(err, commerce.ErrOutcomeUnknown) {
		public.Extensions["reason"] = string(commerce.CodeOutcomeUnknown) // a change that may have happened: read before repeating it
	}
	if id := requestid.From(ctx); id != "" {
		public.Extensions["requestId"] = id
	}
	return public
}

// Present turns what a resolver or the executor answered into what a client sees.
// Internal errors are logged here, once.
func (r *Resolver) Present(ctx context.Context, err error) *gqlerror.Error {
	shown, ok := errors.AsType[*gqlerror.Error](err)
	if ok && shown.Unwrap() == nil {
		return r.presentOwn(ctx, shown)
	}
	public := Public(ctx, err)
	public.Path = graphql.GetPath(ctx)
	if ok && shown.Path != nil {
		public.Path = shown.Path
	}
	if element, ok := errors.AsType[*pathError](err); ok {
		public.Path = element.path
	}
	if kindOf(err) == nil {
		r.logInternal(ctx, public.Path, err)
	}
	return public
}

// presentOwn shows an error of the executor: it speaks of the query, not of data.
func (r *Resolver) presentOwn(ctx context.Context, err *gqlerror.Error) *gqlerror.Error {
	message, _, _ := strings.Cut(err.Message, " Did you mean")
	public := &gqlerror.Error{Message: message, Path: err.Path, Locations: err.Locations, Extensions: map[string]any{}}
	for _, name := range []string{"code", "field", "reason", "limit", "max", "actual", "cost"} {
		if v, ok := err.Extensions[name]; ok {
			public.Extensions[name] = v
		}
	}
	if public.Extensions["code"] == errcode.ParseFailed {
		public.Message = "the query has a syntax error" // the parser's text repeats what was sent
	}
	if public.Extensions["code"] == nil {
		// The executor met something that no resolver answered, such as null where the schema has none.
		r.LogInternal(ctx, err)
		public.Message, public.Extensions["code"] = codes[nil].message, CodeInternal
	}
	if id := requestid.From(ctx); id != "" {
		public.Extensions["requestId"] = id
	}
	return public
}

// Recover turns a resolver's panic into an error of its field.
func (r *Resolver) Recover(_ context.Context, value any) error {
	return &load.Panic{Value: value}
}

// LogInternal logs an error that no client is told about.
func (r *Resolver) LogInternal(ctx context.Context, err error) {
	var path ast.Path
	if graphql.GetFieldContext(ctx) != nil {
		path = graphql.GetPath(ctx)
	}
	r.logInternal(ctx, path, err)
}

func (r *Resolver) logInternal(ctx context.Context, path ast.Path, err error) {
	attrs := []slog.Attr{slog.String("requestId", requestid.From(ctx)), slog.Any("error", err)}
	if path != nil {
		attrs = append(attrs, slog.String("path", path.String()))
	}
	if p, ok := errors.AsType[*load.Panic](err); ok && len(p.Stack) > 0 {
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	r.Log.LogAttrs(ctx, slog.LevelError, "internal error", attrs...)
}
