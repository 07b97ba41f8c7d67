package transport

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/schema/commerce"
)

// piecesAtOnce bounds how many calls one batch makes at a time: the rest of a
// long list waits, instead of taking the system's whole bulkhead.
const piecesAtOnce = 4

var errUnanswered = errors.New("ended without an answer")

// Batch asks for keys in pieces of at most traits.BatchSize ([commerce.MaxBatch]
// when it is 0), each key once, a few pieces at a time, and joins by key what
// load answers: what it answers for a key that it was not asked for is dropped,
// and a key that it leaves out stays absent. load must join its rows by the key in
// the row ([Join]); it is called on several goroutines, all of which have ended
// when Batch returns. No keys, no call.
//
// A piece that fails fails its keys, one that fails with a
// [commerce.BatchError] the keys that this names, and the others stand. The error
// is then a BatchError, or the one cause itself when nothing was found and every
// key failed by it. When ctx ends, no further piece is begun: context.Canceled
// passes unchanged, past a deadline the rest fails by [commerce.ErrTimeout]. The
// map is never nil. A panic in load goes on in the caller, with its stack.
func Batch[K comparable, V any](ctx context.Context, traits commerce.Traits, keys []K, load func(context.Context, []K) (map[K]V, error)) (map[K]V, error) {
	pieces := split[K, V](keys, traits.BatchSize)
	switch len(pieces) {
	case 0:
		return map[K]V{}, nil
	case 1:
		pieces[0].ask(ctx, traits, load)
	default:
		askAll(ctx, traits, pieces, load)
	}
	return joined(pieces)
}

// Join makes a map of the items that were asked for, by the key that each has in
// itself: an answer's order says nothing. Of several items for a key the first
// counts; items that nobody asked for are dropped.
func Join[K comparable, V any](asked []K, items []V, key func(V) K) map[K]V {
	isAsked := asks(asked)
	found := make(map[K]V, min(len(asked), len(items)))
	for _, item := range items {
		k := key(item)
		if _, known := found[k]; !known && isAsked(k) {
			found[k] = item
		}
	}
	return found
}

// piece is a part of a batch and what became of it.
type piece[K comparable, V any] struct {
	keys  []K
	found map[K]V
	err   error
	panic *panicError
}

// split cuts keys into pieces, each key once, in order.
func split[K comparable, V any](keys []K, size int) []*piece[K, V] {
	if size <= 0 {
		size = commerce.MaxBatch
	}
	list := once(keys)
	pieces := make([]*piece[K, V], 0, (len(list)+size-1)/size)
	for part := range slices.Chunk(list, size) {
		pieces = append(pieces, &piece[K, V]{keys: part})
	}
	return pieces
}

func askAll[K comparable, V any](ctx context.Context, traits commerce.Traits, pieces []*piece[K, V], load func(context.Context, []K) (map[K]V, error)) {
	// A group without a context: one piece's failure must not cancel the others.
	var g errgroup.Group
	g.SetLimit(piecesAtOnce)
	for _, p := range pieces {
		g.Go(func() error {
			// errgroup would let a panic end the process, past every recovery of the caller's.
			defer func() {
				if value := recover(); value != nil {
					p.panic = &panicError{value: value, stack: debug.Stack()}
				}
			}()
			p.ask(ctx, traits, load)
			return nil
		})
	}
	_ = g.Wait() // each piece has its own error
	for _, p := range pieces {
		if p.panic != nil {
			panic(p.panic)
		}
	}
}

func (p *piece[K, V]) ask(ctx context.Context, traits commerce.Traits, load func(context.Context, []K) (map[K]V, error)) {
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		p.err = err
		return
	} else if err != nil {
		p.err = Failed(traits, commerce.ErrTimeout, err)
		return
	}
	// This stands when load ends its goroutine instead of answering.
	p.err = Failed(traits, commerce.ErrUnavailable, errUnanswered)
	// load gets its own copy: what is joined is ours, whatever it does to the list.
	p.found, p.err = load(ctx, slices.Clone(p.keys))
}

// whole is the piece's answer as it came, when nothing has to be left out of it.
func (p *piece[K, V]) whole() (map[K]V, bool) {
	if p.err != nil || p.found == nil {
		return nil, false
	}
	met := 0
	for _, key := range p.keys { // each once
		if _, ok := p.found[key]; ok {
			met++
		}
	}
	return p.found, met == len(p.found)
}

// joined puts the pieces' answers together.
func joined[K comparable, V any](pieces []*piece[K, V]) (map[K]V, error) {
	if len(pieces) == 1 {
		if found, ok := pieces[0].whole(); ok {
			return found, nil
		}
	}
	found, failed := map[K]V{}, map[K]error{}
	var left error // the caller's leaving, which is no key's failure
	asked := 0
	for _, p := range pieces {
		asked += len(p.keys)
		if isLeaving[K](p.err) {
			left = p.err
			continue
		}
		for _, key := range p.keys {
			if err := commerce.KeyError(p.err, key); err != nil {
				failed[key] = err
			} else if value, ok := p.found[key]; ok {
				found[key] = value
			}
		}
	}
	switch {
	case left != nil:
		return found, left
	case len(failed) == 0:
		return found, nil
	case len(failed) == asked:
		if cause := oneCause(failed); cause != nil {
			return found, cause
		}
	}
	return found, &commerce.BatchError[K]{Errs: failed}
}

// isLeaving tells whether a whole piece ended because the caller left.
func isLeaving[K comparable](err error) bool {
	if _, single := errors.AsType[*commerce.BatchError[K]](err); single {
		return false
	}
	return errors.Is(err, context.Canceled)
}

// oneCause is the error that all keys failed by, nil when they are several.
func oneCause[K comparable](failed map[K]error) error {
	var cause error
	for _, err := range failed {
		// Either is in the other's chain: they are the same, and comparing them cannot panic.
		if cause != nil && (!errors.Is(err, cause) || !errors.Is(cause, err)) {
			return nil
		}
		cause = err
	}
	return cause
}

// panicError carries a panic from a goroutine of ours to the caller's.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("%v\n\n%s", p.value, p.stack) }

// Unwrap gives the value to [errors.Is] when it is an error.
func (p *panicError) Unwrap() error {
	err, _ := p.value.(error)
	return err
}
