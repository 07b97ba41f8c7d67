package odoo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"sync"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// query is what search_read and search_count take. Fields are always named: the
// default is every field, computed ones included.
type query struct {
	model string

	Domain   domain
	Fields   []string
	Order    string
	Limit    int
	Archived bool // finds archived records too
}

// domain is a condition in prefix form: leaves, and "|" or "&" before the two that it joins.
type domain []any

// leaf is one comparison of a domain.
type leaf struct {
	field, operator string
	value           any
}

// record is a row of an answer. check says why it cannot be one that was asked for:
// every row has its id, whatever fields are asked for.
type record interface{ check() error }

// search reads the records that q finds, for the operation op.
func search[T record](ctx context.Context, c *connector, op commerce.Operation, q query) ([]T, error) {
	var records rows[T]
	if err := read(ctx, c, op, q, &records); err != nil {
		return nil, err
	}
	return records, nil
}

// read is search into rows whose room may be used.
func read[T record](ctx context.Context, c *connector, op commerce.Operation, q query, into *rows[T]) error {
	return c.call(ctx, op, "search_read", q, into, func() error {
		if *into == nil { // null
			return errWire
		}
		for _, r := range *into {
			if err := r.check(); err != nil {
				return err
			}
		}
		return nil
	})
}

// count is how many records q finds.
func (c *connector) count(ctx context.Context, op commerce.Operation, q query) (int, error) {
	q.Fields, q.Order, q.Limit = nil, "", 0
	var n *int
	err := c.call(ctx, op, "search_count", q, &n, func() error {
		if n == nil || *n < 0 {
			return errWire
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return *n, nil
}

// call makes one call, decodes its answer and has it checked: check's error says why
// the answer is of no use.
func (c *connector) call(ctx context.Context, op commerce.Operation, method string, q query, into any, check func() error) error {
	body, err := q.body()
	if err != nil {
		return err
	}
	t, way := traitsOf(op), wayOf(q.model, method)
	_, err = c.client.Do(ctx, t, transport.Request{
		Step:   way.step,
		Method: http.MethodPost, Path: way.path, Header: c.header, Body: body,
		Read: func(res *transport.Response) error {
			if res.Status >= http.StatusMultipleChoices {
				return refused(t, res)
			}
			if err := transport.DecodeJSON(System, t, res, into); err != nil {
				return err
			}
			if err := check(); err != nil {
				return transport.BadAnswer(t, res, err)
			}
			return nil
		},
	})
	return err
}

// way is where a method of a model is called, and its name among an operation's requests.
type way struct {
	step string
	path []string
}

// wayTo is remembered: there are as many as models and methods in the code.
var wayTo sync.Map // from [2]string

func wayOf(model, method string) way {
	key := [2]string{model, method}
	if known, ok := wayTo.Load(key); ok {
		if w, ok := known.(way); ok {
			return w
		}
	}
	w := way{step: model + "." + method, path: []string{"json", "2", model, method}}
	wayTo.Store(key, w)
	return w
}

// wireFault is Odoo's error body. Its message and traceback are not even read:
// they may hold what was asked for.
type wireFault struct {
	Name string `json:"name"`
}

var exceptionPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]{0,80}$`)

// refused is what an answer of 4xx means. None of them is the shopper's fault: our
// key, our rights, or a model that this server does not have.
func refused(t commerce.Traits, res *transport.Response) error {
	err := transport.Refused(t, res)
	var fault wireFault
	call, ok := errors.AsType[*commerce.CallError](err)
	if ok && json.Unmarshal(res.Body, &fault) == nil && exceptionPattern.MatchString(fault.Name) {
		call.Err = fmt.Errorf("%w: %s", call.Err, fault.Name)
	}
	return err
}

// badAnswer is a failure that is seen only when several answers are put together.
func badAnswer(op commerce.Operation, cause error) error {
	return transport.Failed(traitsOf(op), commerce.ErrUpstream, cause)
}

// misconfigured is a setting that does not fit the server.
func misconfigured(op commerce.Operation, cause error) error {
	return transport.Failed(traitsOf(op), commerce.ErrUnavailable, cause)
}

// named makes sure that a failure names the system and the operation. One that
// was met while waiting for another's flight names neither, or the other's.
func named(op commerce.Operation, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, commerce.ErrNotFound) {
		return err
	}
	failed := &commerce.CallError{System: System, Operation: op, Kind: commerce.KindOf(err), Reason: commerce.ReasonOf(err), Err: err}
	if call, ok := errors.AsType[*commerce.CallError](err); ok {
		if call.Operation == op {
			return err
		}
		failed.RetryAfter, failed.Err = call.RetryAfter, call.Err
	}
	if failed.Kind == nil {
		failed.Kind = commerce.ErrUnavailable
	}
	return failed
}
