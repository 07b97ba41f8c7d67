package graphhttp

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/recent"
)

// writer writes answers in the negotiated media type.
type writer struct {
	http.ResponseWriter
	mediaType string
	get       bool      // caches on the way may keep what they are not told not to
	began     time.Time // when the request came in
	made      recent.Made
	errs      gqlerror.List // of all parts of the answer in which something is not well, for made
	reports   []load.Report // likewise
}

func (w *writer) write(status int, doc document) {
	body, ok := render(doc)
	if !ok {
		status = http.StatusInternalServerError
		w.Header().Set("Cache-Control", "no-store")
	}
	w.body(status, body)
}

func (w *writer) body(status int, body []byte) int {
	h := w.Header()
	if len(body) > counted && h["Content-Length"] == nil {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	h["Content-Type"] = contentTypes[w.mediaType]
	h["X-Content-Type-Options"] = nosniff
	w.WriteHeader(status)
	n, _ := w.Write(body) // a client that left is no one's error
	return n
}

// counted is how long a body, in bytes, net/http holds back until the handler is done, and
// announces by itself. What is longer it would send in chunks, unless its length is a field;
// and a field costs: with more than eight of them the header's map grows out of its first
// piece, twice, since net/http copies it.
const counted = 2 << 10

// Fields of every answer; nobody writes to them.
var (
	contentTypes = map[string][]string{jsonType: {jsonType + "; charset=utf-8"}, graphType: {graphType + "; charset=utf-8"}}
	nosniff      = []string{"nosniff"}
)

// refuse answers a request that is malformed.
func (w *writer) refuse(ctx context.Context, err error) {
	status, shown := shownOf(ctx, err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Cache-Control", "no-store")
	w.write(status, document{Errors: gqlerror.List{shown}})
}

// shownOf is the status of a refusal and what the client is told of it.
func shownOf(ctx context.Context, err error) (int, *gqlerror.Error) {
	status, shown := http.StatusInternalServerError, graph.Public(ctx, err)
	if r, ok := errors.AsType[*refusal](err); ok {
		status, shown.Message, shown.Extensions["code"] = r.status, r.message, r.code
		if r.field != "" {
			shown.Extensions["field"] = r.field
		}
	}
	return status, shown
}

// failed answers a request of which nothing was executed. A query that does not
// parse or fit the schema is a well-formed request: plain JSON clients get 200,
// as the GraphQL-over-HTTP specification has it. Unusable input and queries that
// ask for too much are 400 for everyone.
func (w *writer) failed(response *graphql.Response) {
	status := http.StatusBadRequest
	if w.mediaType == jsonType && !slices.ContainsFunc(response.Errors, blamesClient) {
		status = http.StatusOK
	}
	w.Header().Set("Cache-Control", "no-store")
	w.write(status, document{Errors: response.Errors})
}

func blamesClient(err *gqlerror.Error) bool {
	code, _ := err.Extensions["code"].(string)
	return code != errcode.ParseFailed && code != errcode.ValidationFailed
}

func (w *writer) answered(ctx context.Context, made outcome, private bool, result cache.Result) {
	w.remember(made)
	w.timed(made.spent, result)
	if made.response == nil {
		w.refuse(ctx, &refusal{http.StatusGatewayTimeout, "TIMEOUT", "not answered in time", ""})
		return
	}
	control := cacheControl(len(made.response.Errors) > 0, private, made.freshness)
	switch {
	case !w.get || control != expired:
	case len(made.freshness) > 0:
		control = "private, " + expired // it is stale, and nothing proves that it is for others
	default:
		control = ownersOnly // nothing proves that it is for others
	}
	w.Header().Set("Cache-Control", control)
	w.write(http.StatusOK, made.document())
}
