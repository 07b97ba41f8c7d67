package pimcore

import (
	"context"
	"net/http"
	"sync"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// slack is how many rows more than keys are asked for: the database compares without case, so
// rows that nobody asked for must not push out others.
const slack = 2

// shown is what the ports answer for a key, which is never nil.
type shown interface {
	*commerce.Product | *commerce.ReviewSummary | *commerce.Page | []commerce.RelatedProduct
}

// query is what byKey needs to know of an operation: which rows of type T are asked for, and how they become a V.
type query[K ~string, T any, V shown] struct {
	connector *connector
	op        commerce.Operation
	column    string
	key       func(*T) K
	show      func(*T) V // which keeps nothing of the row
	rooms     *sync.Pool // of *T, each a [room]; nil when only encoding/json reads them
	vars      wireVariables
}

// byKey asks for objects by a text column, one call for each batch of keys, and joins what comes by that
// column: shuffled, repeated or foreign rows never become a neighbor's. A key in whose object a field
// failed is in the error, a [commerce.BatchError].
func byKey[K ~string, T any, V shown](ctx context.Context, q query[K, T, V], keys []K) (map[K]V, error) {
	doc := q.connector.documents[q.op]
	return transport.Batch(ctx, doc.traits, keys, func(ctx context.Context, batch []K) (map[K]V, error) {
		vars := q.vars
		vars.Filter, vars.First = anyOf(q.column, batch), len(batch)*slack
		got := join[K, T, V]{query: &q, doc: doc, asked: batch}
		if err := q.connector.call(ctx, doc, vars, got.read); err != nil {
			return nil, err
		}
		return got.found, spoiled(doc.traits, got.rest())
	})
}

// join sorts the rows of an answer by key as they come. Of several rows for one key the first counts.
type join[K ~string, T any, V shown] struct {
	query  *query[K, T, V]
	doc    *document
	asked  []K
	found  map[K]V // all that were asked for; nil until there is one
	left   int     // for how many there is none
	broken []K     // keys of rows in which a field failed
}

// read joins an answer's rows, read as they come if they can be.
func (j *join[K, T, V]) read(res *transport.Response) error {
	if err := refused(j.doc.traits, res); err != nil {
		return err
	}
	j.begin()
	answer := wireAnswer[T]{root: j.doc.root}
	if j.query.rooms != nil {
		if node, ok := j.query.rooms.Get().(*T); ok {
			defer leave(j.query.rooms, node)
			answer.row, answer.take = node, j.take
		}
	}
	got, err := read(j.doc, res, &answer)
	if err != nil || answer.taken {
		return err
	}
	j.begin()
	for _, row := range got.nodes {
		j.take(row)
	}
	for _, row := range got.broken {
		j.broken = append(j.broken, j.query.key(row))
	}
	return nil
}

// begin has nothing found.
func (j *join[K, T, V]) begin() {
	j.found, j.left, j.broken = make(map[K]V, len(j.asked)), len(j.asked), nil
	for _, key := range j.asked {
		j.found[key] = nil
	}
}

// take is given each row.
func (j *join[K, T, V]) take(row *T) {
	key := j.query.key(row)
	if before, asked := j.found[key]; asked && before == nil {
		j.found[key] = j.query.show(row)
		j.left--
	}
}

// rest leaves in found what was found, and answers the keys that have only rows in which a field failed.
func (j *join[K, T, V]) rest() (broken []K) {
	for _, key := range j.broken {
		if found, asked := j.found[key]; asked && found == nil {
			broken = append(broken, key)
			delete(j.found, key)
		}
	}
	if j.left == 0 {
		return nil
	}
	for _, key := range j.asked {
		if j.found[key] == nil {
			delete(j.found, key)
		}
	}
	return broken
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

// refused is the failure of an answer whose status is not 200; nil for the others.
func refused(traits commerce.Traits, res *transport.Response) error {
	switch res.Status {
	case http.StatusOK:
		return nil
	case http.StatusNotFound:
		return transport.Failed(traits, commerce.ErrUnavailable, errNoEndpoint)
	default:
		return transport.Refused(traits, res)
	}
}
