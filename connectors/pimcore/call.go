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
	errNotBehind  = errors.New("answered rows that were not asked for")
)

// fetched is what a listing answered: its nodes, null ones left out, and those among
// them in which a field failed.
type fetched[T any] struct {
	nodes  []*T
	broken []*T
	rows   int // of nodes, null ones among them
	total  int
}

// header is what every call says of itself. Nobody changes it.
var header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}

// call makes one call; read looks at its answer.
func (c *connector) call(ctx context.Context, doc *document, vars wireVariables, read func(*transport.Response) error) error {
	_, err := c.client.Do(ctx, doc.traits, transport.Request{Method: http.MethodPost, Path: c.path, Header: header, Body: vars.body(doc), Read: read})
	return err
}

// fetch makes one call. Go has no generic methods, so the connector is an argument.
func fetch[T any](ctx context.Context, c *connector, op commerce.Operation, vars wireVariables) (fetched[T], error) {
	doc := c.documents[op]
	var got fetched[T]
	err := c.call(ctx, doc, vars, func(res *transport.Response) (err error) {
		if err = refused(doc.traits, res); err == nil {
			got, err = read(doc, res, &wireAnswer[T]{})
		}
		return err
	})
	return got, err
}

// read is an answer's listing, empty if answer took its rows: a page, a body that does not
// fit and errors inside a 200 are none.
func read[T any](doc *document, res *transport.Response, answer *wireAnswer[T]) (fetched[T], error) {
	if err := transport.DecodeJSON(system, doc.traits, res, answer); err != nil || answer.taken {
		return fetched[T]{}, err
	}
	got, err := sorted(answer.Data[doc.root], answer.Errors)
	if err == nil && doc.whole && len(got.broken) > 0 {
		err = errGraphQL
	}
	if err != nil {
		return fetched[T]{}, transport.BadAnswer(doc.traits, res, err)
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
	result.total, result.rows, result.nodes = list.TotalCount, len(list.Edges), make([]*T, 0, len(list.Edges))
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
