package pimcore

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// Why an answer was of no use. Constant texts: what the PIM says may repeat data.
var (
	errNoEndpoint = errors.New("no such Data Hub configuration")
	errGraphQL    = errors.New("answered with GraphQL errors")
	errNoData     = errors.New("answered without data")
)

// fetched is what a listing answered: its nodes, null ones left out, and those among
// them in which a field failed.
type fetched[T any] struct {
	nodes  []*T
	broken []*T
	total  int
}

// header is what every call says of itself. Nobody changes it.
var header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}

// fetch makes one call. Go has no generic methods, so the connector is an argument.
func fetch[T any](ctx context.Context, c *connector, op commerce.Operation, vars wireVariables) (fetched[T], error) {
	traits, doc := c.traits[op], c.documents[op]
	var got fetched[T]
	_, err := c.client.Do(ctx, traits, transport.Request{
		Method: http.MethodPost,
		Path:   c.path,
		Header: header,
		Body:   vars.body(doc),
		Read: func(res *transport.Response) (err error) {
			got, err = read[T](traits, doc, res)
			return err
		},
	})
	return got, err
}

// read is an answer's listing: a status other than 200, a page, a body that does not
// fit and errors inside a 200 are none.
func read[T any](traits commerce.Traits, doc document, res *transport.Response) (fetched[T], error) {
	switch res.Status {
	case http.StatusOK:
	case http.StatusNotFound:
		return fetched[T]{}, transport.Failed(traits, commerce.ErrUnavailable, errNoEndpoint)
	default:
		return fetched[T]{}, transport.Refused(traits, res)
	}
	var answer wireAnswer[T]
	if err := transport.DecodeJSON(system, traits, res, &answer); err != nil {
		return fetched[T]{}, err
	}
	got, err := sorted(answer.Data[doc.root], answer.Errors)
	if err == nil && doc.whole && len(got.broken) > 0 {
		err = errGraphQL
	}
	if err != nil {
		return fetched[T]{}, transport.BadAnswer(traits, res, err)
	}
	return got, nil
}

// sorted tells a listing's nodes apart. An error that names no single node spoils them all.
func sorted[T any](list *listing[T], errs []wireError) (fetched[T], error) {
	var result fetched[T]
	if list == nil || list.Edges == nil {
		return result, cause(errs)
	}
	var spoiled map[int]bool // nearly never
	for _, e := range errs {
		i, ok := e.edge()
		if !ok {
			return result, errGraphQL
		}
		if spoiled == nil {
			spoiled = map[int]bool{}
		}
		spoiled[i] = true
	}
	result.total, result.nodes = list.TotalCount, make([]*T, 0, len(list.Edges))
	for i, edge := range list.Edges {
		switch {
		case edge.Node == nil:
		case spoiled[i]:
			result.broken = append(result.broken, edge.Node)
		default:
			result.nodes = append(result.nodes, edge.Node)
		}
	}
	return result, nil
}

func cause(errs []wireError) error {
	if len(errs) > 0 {
		return errGraphQL
	}
	return errNoData
}

// edge is the index in a path such as ["getProductListing","edges",3,"node",…].
func (e wireError) edge() (int, bool) {
	var i int
	if len(e.Path) < 4 || string(e.Path[1]) != `"edges"` || json.Unmarshal(e.Path[2], &i) != nil {
		return 0, false
	}
	return i, true
}

// slack is how many rows more than keys are asked for: the database compares without case, so
// rows that nobody asked for must not push out others.
const slack = 2

// byKey asks for objects by a text column, one call for each batch of keys, and joins what comes by that
// column: shuffled, repeated or foreign rows never become a neighbor's. A key in whose object a field
// failed is in the error, a [commerce.BatchError].
func byKey[K ~string, T any](ctx context.Context, q query[K, T], keys []K) (map[K]*T, error) {
	traits := q.connector.traits[q.op]
	return transport.Batch(ctx, traits, keys, func(ctx context.Context, batch []K) (map[K]*T, error) {
		vars := q.vars
		vars.Filter, vars.First = anyOf(q.column, batch), len(batch)*slack
		got, err := fetch[T](ctx, q.connector, q.op, vars)
		if err != nil {
			return nil, err
		}
		found, broken := q.join(batch, got)
		return found, spoiled(traits, broken)
	})
}

// query is what byKey needs to know of an operation.
type query[K ~string, T any] struct {
	connector *connector
	op        commerce.Operation
	column    string
	key       func(*T) K
	vars      wireVariables
}

// join sorts what a batch got by key, and answers the keys that have only rows in which a field
// failed. Of several rows for one key the first counts.
func (q query[K, T]) join(batch []K, got fetched[T]) (found map[K]*T, broken []K) {
	found = transport.Join(batch, got.nodes, q.key)
	if len(got.broken) == 0 {
		return found, nil
	}
	for key := range transport.Join(batch, got.broken, q.key) {
		if found[key] == nil {
			broken = append(broken, key)
		}
	}
	return found, broken
}

// spoiled is the failure of keys in whose objects a field failed; nil when there is none.
func spoiled[K comparable](traits commerce.Traits, keys []K) error {
	if len(keys) == 0 {
		return nil
	}
	failed := transport.Failed(traits, commerce.ErrUpstream, errGraphQL)
	errs := make(map[K]error, len(keys))
	for _, key := range keys {
		errs[key] = failed
	}
	return &commerce.BatchError[K]{Errs: errs}
}

// anyOf is a filter in Data Hub's language, which has no "in".
func anyOf[K ~string](column string, keys []K) []byte {
	const around, each = len(`{"$or":[]}`), 32
	filter := make([]byte, 0, around+len(keys)*each)
	filter = append(filter, `{"$or":[`...)
	for i, key := range keys {
		if i > 0 {
			filter = append(filter, ',')
		}
		filter = append(quick.AppendText(append(filter, '{'), column), ':')
		filter = append(quick.AppendText(filter, key), '}')
	}
	return append(filter, "]}"...)
}
