package bffmobile

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/fields"
	"github.com/portico-bff/portico/bff-mobile/internal/rest"
	"github.com/portico-bff/portico/schema/commerce"
)

// corpusSize is how many requests are tried, over all operations.
const corpusSize = 10_000 / slower

// stricter is what the server refuses although the contract cannot say so, or its
// reader does not look: each is met in the corpus, and nothing else is refused beyond
// the contract. What nests deeply is refused by both: no body has room for it.
var stricter = []string{
	"bad UTF-8", "duplicate key", "number with a fraction or an exponent", "trailing data",
	"empty value", "malformed query", "fields of no screen", "parameter there twice", "unknown parameter", "value in another form",
	"next of no answer",
}

// What the server takes and what the contract takes is the same, whatever is sent: both
// are asked about well-formed requests of every operation and about bent ones. All
// systems are down, so a request that was accepted fails otherwise than with 400.
func TestM7_DecoderAndContractAgreeOnTheCorpus(t *testing.T) {
	t.Parallel()
	doc, err := contract()
	require.NoError(t, err)
	s := open(t)
	for _, op := range []commerce.Operation{
		commerce.OpCartCreate, commerce.OpCartRead, commerce.OpCartMerge, commerce.OpLineAdd, commerce.OpLineSet, commerce.OpCouponApply,
		commerce.OpShippingOptions, commerce.OpShippingSet, commerce.OpPrepare, commerce.OpPlace, commerce.OpSearch, commerce.OpOrders,
		commerce.OpCategoryTree, commerce.OpPages, commerce.OpProducts, commerce.OpRelated, commerce.OpSKUs, commerce.OpPageIDs,
	} {
		s.Fail(op, commerce.ErrUnavailable)
	}
	var asked []asking
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if a := (asking{method, path, op}); strings.HasPrefix(path, "/v1/") && (op.RequestBody != nil || len(a.query()) > 0) {
				asked = append(asked, a)
			}
		}
	}
	slices.SortFunc(asked, func(a, b asking) int { return strings.Compare(a.op.OperationID, b.op.OperationID) }) // the same corpus each time
	met := &tally{kinds: map[string]int{}}
	t.Run("operations", func(t *testing.T) {
		for i, a := range asked {
			t.Run(a.op.OperationID, func(t *testing.T) {
				t.Parallel()
				bent := bender{rand.New(rand.NewPCG(7, uint64(i)))} //nolint:gosec // the same corpus each time
				for n := range corpusSize/len(asked) + 1 {
					a.compare(t, s, bent, n, met)
				}
			})
		}
	})
	require.GreaterOrEqual(t, met.requests, corpusSize)
	require.Greater(t, met.taken, corpusSize/20, "enough of the corpus is well-formed")
	for _, kind := range stricter {
		if slower > 1 {
			break // a smaller corpus may lack one
		}
		require.Positive(t, met.kinds[kind], "%s was not met: %v", kind, met.kinds)
	}
	t.Logf("%d requests, %d taken by both, refused by the server alone: %v", met.requests, met.taken, met.kinds)
}

// tally counts what was met.
type tally struct {
	mu              sync.Mutex
	requests, taken int
	kinds           map[string]int
}

// asking is an operation that is asked.
type asking struct {
	method, path string
	op           *openapi3.Operation
}

func (a asking) query() (list []*openapi3.Parameter) {
	for _, p := range a.op.Parameters {
		if p.Value.In == openapi3.ParameterInQuery {
			list = append(list, p.Value)
		}
	}
	return list
}

// compare asks both about one request.
func (a asking) compare(t *testing.T, s *shop, bent bender, n int, met *tally) {
	t.Helper()
	c := call{method: a.method, path: a.path, headers: []string{"Idempotency-Key", longKey + a.op.OperationID + strconv.Itoa(n)}}
	for _, p := range a.op.Parameters {
		if p.Value.In == openapi3.ParameterInPath {
			c.path = strings.Replace(c.path, "{"+p.Value.Name+"}", p.Value.Example.(string), 1)
		}
	}
	if a.op.Security != nil {
		c.headers = append(c.headers, "Authorization", "Bearer C1")
	}
	var kinds []string
	if a.op.RequestBody != nil {
		c.body = bent.body(a.op.RequestBody.Value.Content["application/json"])
		kinds = kindsOfBody(c.body)
	} else if query := bent.query(a.query()); query != "" {
		c.path += "?" + query
		kinds = a.kindsOfQuery(query)
	}
	ours, theirs := s.send(t, c), a.allowed(t, c)
	taken := ours.Status != http.StatusBadRequest
	met.mu.Lock()
	defer met.mu.Unlock()
	met.requests++
	switch {
	case taken && theirs == nil:
		met.taken++
	case taken:
		t.Errorf("%s %s %s: the contract refuses what the server takes (%d): %v", c.method, c.path, c.body, ours.Status, theirs)
	case theirs == nil && len(kinds) == 0:
		t.Errorf("%s %s %s: the server refuses what the contract takes: %s", c.method, c.path, c.body, ours.Raw)
	case theirs == nil:
		for _, kind := range kinds {
			met.kinds[kind]++
		}
	}
}

// allowed is what the contract's reader says of a request; a target that is no URL is
// looked at without its query.
func (a asking) allowed(t *testing.T, c call) error {
	t.Helper()
	r := c.request(t)
	route, params := find(t, r)
	return openapi3filter.ValidateRequest(t.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
}

// kindsOfQuery is what in a query is one of the stricter kinds.
func (a asking) kindsOfQuery(query string) (kinds []string) {
	values, err := url.ParseQuery(query)
	if err != nil {
		kinds = append(kinds, "malformed query")
	}
	for name, list := range values {
		at := slices.IndexFunc(a.query(), func(p *openapi3.Parameter) bool { return p.Name == name })
		if at < 0 {
			kinds = append(kinds, "unknown parameter")
			continue
		}
		kinds = append(kinds, kindsOfValues(a.query()[at].Schema.Value, list)...)
		if name == fields.Parameter {
			if _, err := fields.Parse(rest.Screens[a.op.OperationID], list[0]); err != nil {
				kinds = append(kinds, "fields of no screen")
			}
		}
		if name == "since" {
			kinds = append(kinds, "next of no answer")
		}
	}
	return kinds
}

func kindsOfValues(schema *openapi3.Schema, list []string) (kinds []string) {
	if len(list) > 1 && !schema.Type.Is(openapi3.TypeArray) {
		kinds = append(kinds, "parameter there twice")
	}
	for _, text := range list {
		switch {
		case !validText(text):
			kinds = append(kinds, "bad UTF-8")
		case text == "" && !schema.Type.Is(openapi3.TypeString):
			kinds = append(kinds, "empty value")
		case schema.Type.Is(openapi3.TypeInteger) && (text[0] == '0' || text[0] == '+' || strings.HasPrefix(text, "-0")),
			schema.Type.Is(openapi3.TypeBoolean) && text != "true" && text != "false":
			kinds = append(kinds, "value in another form")
		}
	}
	return kinds
}

// kindsOfBody is what in a body is one of the stricter kinds.
func kindsOfBody(body string) (kinds []string) {
	if !validText(body) || strings.Contains(body, `\ud800`) {
		kinds = append(kinds, "bad UTF-8")
	}
	in := json.NewDecoder(strings.NewReader(body))
	in.UseNumber()
	w := walker{in: in}
	if !w.value() {
		return kinds
	}
	if strings.TrimLeft(body[in.InputOffset():], " \t\r\n") != "" {
		kinds = append(kinds, "trailing data")
	}
	return append(kinds, w.kinds...)
}
