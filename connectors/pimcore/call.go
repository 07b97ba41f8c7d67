package pimcore

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// Why an answer was of no use. Constant texts: what the PIM says may repeat data.
var (
	errKeyRefused = errors.New("the API key was refused")
	errNoEndpoint = errors.New("no such Data Hub configuration")
	errStatus     = errors.New("answered with an unexpected status")
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

// fetch makes one call. Go has no generic methods, so the connector is an argument.
func fetch[T any](ctx context.Context, c *connector, op commerce.Operation, vars wireVariables) (fetched[T], error) {
	traits, doc := c.traits[op], c.documents[op]
	body, err := json.Marshal(wireRequest{Query: doc.text, OperationName: doc.name, Variables: vars})
	if err != nil {
		return fetched[T]{}, err
	}
	res, err := c.client.Do(ctx, traits, transport.Request{
		Method: http.MethodPost,
		Path:   []string{"pimcore-graphql-webservices", c.endpoint},
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}},
		Body:   body,
	})
	if err != nil {
		return fetched[T]{}, err
	}
	switch res.Status {
	case http.StatusOK:
	case http.StatusForbidden, http.StatusUnauthorized:
		return fetched[T]{}, failed(traits, commerce.ErrUnavailable, errKeyRefused)
	case http.StatusNotFound:
		return fetched[T]{}, failed(traits, commerce.ErrUnavailable, errNoEndpoint)
	default:
		return fetched[T]{}, failed(traits, commerce.ErrUpstream, errStatus)
	}
	var answer wireAnswer[T]
	if err := transport.DecodeJSON(system, traits, res, &answer); err != nil {
		return fetched[T]{}, err
	}
	return read(traits, answer.Data[doc.root], answer.Errors)
}

func failed(traits commerce.Traits, kind, cause error) error {
	reason := commerce.ReasonUnavailable
	if errors.Is(kind, commerce.ErrUpstream) {
		reason = commerce.ReasonBadAnswer
	}
	return &commerce.CallError{System: system, Operation: traits.Operation, Kind: kind, Reason: reason, Err: cause}
}

// read sorts an answer's nodes. An error that names no single node spoils them all.
func read[T any](traits commerce.Traits, list *listing[T], errs []wireError) (fetched[T], error) {
	var result fetched[T]
	if list == nil {
		return result, failed(traits, commerce.ErrUpstream, cause(errs))
	}
	spoiled := map[int]bool{}
	for _, e := range errs {
		i, ok := e.edge()
		if !ok {
			return result, failed(traits, commerce.ErrUpstream, errGraphQL)
		}
		spoiled[i] = true
	}
	result.total = list.TotalCount
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
	found := make(map[K]*T, len(keys))
	errs := map[K]error{}
	for _, batch := range transport.Batches(unique(keys), q.connector.traits[q.op].BatchSize) {
		vars := q.vars
		vars.Filter, vars.First = anyOf(q.column, batch), len(batch)*slack
		got, err := fetch[T](ctx, q.connector, q.op, vars)
		if errors.Is(err, context.Canceled) {
			return found, err
		}
		if err != nil {
			for _, key := range batch {
				errs[key] = err
			}
			continue
		}
		for _, key := range q.join(found, batch, got) {
			errs[key] = failed(q.connector.traits[q.op], commerce.ErrUpstream, errGraphQL)
		}
	}
	return found, joined(errs, len(found))
}

// query is what byKey needs to know of an operation.
type query[K ~string, T any] struct {
	connector *connector
	op        commerce.Operation
	column    string
	key       func(*T) K
	vars      wireVariables
}

// join puts what a batch got into found, by key, and answers the keys that have only rows in which a
// field failed. Of several rows for one key the first counts.
func (q query[K, T]) join(found map[K]*T, batch []K, got fetched[T]) []K {
	asked := set(batch)
	for _, node := range got.nodes {
		if key := q.key(node); asked[key] && found[key] == nil {
			found[key] = node
		}
	}
	var broken []K
	for _, node := range got.broken {
		if key := q.key(node); asked[key] && found[key] == nil {
			broken = append(broken, key)
		}
	}
	return broken
}

// joined is the one cause when nothing came at all, else a BatchError.
func joined[K comparable](errs map[K]error, found int) error {
	if len(errs) == 0 {
		return nil
	}
	causes := slices.Collect(maps.Values(errs))
	first := causes[0]
	same := !slices.ContainsFunc(causes, func(err error) bool { return err != first }) //nolint:errorlint // the very same value
	if found == 0 && same {
		return first
	}
	return &commerce.BatchError[K]{Errs: errs}
}

// anyOf is a filter in Data Hub's language, which has no "in".
func anyOf[K ~string](column string, keys []K) string {
	alternatives := make([]map[string]string, len(keys))
	for i, key := range keys {
		alternatives[i] = map[string]string{column: string(key)}
	}
	// Strings in maps always can be written.
	text, _ := json.Marshal(map[string]any{"$or": alternatives})
	return string(text)
}

func unique[K comparable](keys []K) []K {
	seen := make(map[K]bool, len(keys))
	list := make([]K, 0, len(keys))
	for _, key := range keys {
		if !seen[key] {
			seen[key] = true
			list = append(list, key)
		}
	}
	return list
}

func set[K comparable](keys []K) map[K]bool {
	s := make(map[K]bool, len(keys))
	for _, key := range keys {
		s[key] = true
	}
	return s
}
