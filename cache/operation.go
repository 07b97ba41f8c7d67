package cache

import (
	"context"
	"errors"
	"hash/maphash"
	"reflect"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// asker is who asks, as far as an answer can depend on it.
type asker struct {
	market    commerce.Market
	group     commerce.PriceGroup
	principal commerce.Principal
}

func inMarket(m commerce.Market) asker       { return asker{market: m} }
func ofPrincipal(p commerce.Principal) asker { return asker{principal: p} }

// prefix is the stored keys' beginning for the asker; false means that nobody
// may share the answer, because it is private and the asker unknown.
func (p *plan) prefix(who asker) ([]byte, bool) { return p.appendPrefix(make([]byte, 0, 160), who) }

func (p *plan) appendPrefix(b []byte, who asker) ([]byte, bool) {
	k := key{
		system: p.system, operation: p.name, form: p.form, scope: p.policy.Scope,
		market: p.policy.Keyed.of(who.market), group: who.group,
	}
	switch p.policy.Scope {
	case commerce.ScopePublic:
		return k.appendPrefix(b), true
	case commerce.ScopeSegment:
		return k.appendPrefix(b), who.group != ""
	case commerce.ScopeCustomer:
		k.tenant, k.caller = who.principal.Tenant, callerText(who.principal)
		return k.appendPrefix(b), !who.principal.Anonymous()
	default: // nothing here is keyed by a session
		return nil, false
	}
}

// batch is an operation that answers many keys.
type batch[K comparable, V any] struct {
	cache *Cache
	plan  *plan
	text  func(K) string
	write func([]byte, K) []byte // adds the text
	about func(K) string         // what the key's tags are named after
}

type batchLoad[K comparable, V any] func(context.Context, []K) (map[K]V, error)

// get answers what is known of keys, as the port's doc says, and reports each
// key's source to the caller's sink.
func (b *batch[K, V]) get(ctx context.Context, who asker, keys []K, next batchLoad[K, V]) (map[K]V, error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, context.Canceled
	}
	keys = distinct(keys)
	if len(keys) == 0 {
		return map[K]V{}, nil
	}
	r := b.request(keys, next)
	prefix, shared := b.plan.prefix(who)
	var results *results
	if shared {
		b.name(r, keys, prefix)
		r.asker = r.keys[0][:len(prefix)]
		results = b.cache.get(ctx, r)
	} else {
		for i, k := range keys {
			r.texts[i] = b.text(k)
		}
		results = r.direct(ctx)
	}
	defer results.giveBack()
	b.cache.metrics.count(ctx, r, results.list)
	return collect[K, V](ctx, keys, results.list, r.sources)
}

func (b *batch[K, V]) request(keys []K, next batchLoad[K, V]) *request {
	r := &batchRequest[K, V]{batchWish: batchWish[K, V]{batch: b, keys: keys, next: next}}
	r.plan, r.wish, r.request.keys, r.texts = b.plan, &r.batchWish, r.room[:1:1], r.room[1:]
	if len(keys) != 1 {
		r.request.keys, r.texts = make([]string, len(keys)), make([]string, len(keys))
	}
	return &r.request
}

// batchRequest is a request with its wish, in one piece.
type batchRequest[K comparable, V any] struct {
	request
	batchWish[K, V]
	room [2]string // for one key and its text
}

// batchWish asks for keys.
type batchWish[K comparable, V any] struct {
	batch *batch[K, V]
	keys  []K
	next  batchLoad[K, V]
}

func (a *batchWish[K, V]) subject(i int) string { return a.batch.about(a.keys[i]) }

func (a *batchWish[K, V]) load(ctx context.Context, which []int) []answer {
	asked := make([]K, len(which))
	for n, i := range which {
		asked[n] = a.keys[i]
	}
	values, err := a.next(ctx, asked)
	answers := make([]answer, len(which))
	for n, k := range asked {
		if v, ok := values[k]; ok {
			answers[n] = answer{value: v, found: true}
		} else {
			answers[n].err = commerce.KeyError(err, k)
		}
	}
	return answers
}

// together asks as the first does: all ask the same port for the same market and group,
// as far as the answer depends on them.
func (a *batchWish[K, V]) together(list []passenger) wish {
	all := &batchWish[K, V]{batch: a.batch, next: a.next}
	for n := range list {
		if own, ok := list[n].wish.(*batchWish[K, V]); ok { // as all of a plan are
			for _, i := range list[n].led {
				all.keys = append(all.keys, own.keys[i])
			}
		}
	}
	return all
}

// direct asks the system for this caller alone.
func (r *request) direct(ctx context.Context) *results {
	all := make([]int, len(r.texts))
	for i := range all {
		all[i] = i
	}
	told := waits{began: time.Now()}
	ctx, trail := commerce.WithTrail(ctx)
	trail.For(len(all))
	lent := newResults(len(all))
	results := lent.list
	r.sources = make([]commerce.Source, len(all))
	answers := r.load(ctx, all)
	now := time.Now()
	for i, a := range answers {
		if a.err != nil {
			results[i] = r.failed(i, a.err, uncached)
		} else {
			results[i] = result{answer: a, served: uncached}
			r.source(i, commerce.StateFresh, 0).Kept = r.alone(i, a)
		}
		at := &r.sources[i]
		at.Outcomes, at.Scope, at.Way = trail.Outcomes(), commerce.ScopeCustomer, commerce.WayDirect
		told.end(at, trail, now)
	}
	return lent
}

// alone tells the version of what was asked for this caller alone, at the place i.
func (r *request) alone(i int, a answer) commerce.Kept {
	if !a.found {
		return absent
	}
	return &lone{r.plan, a.value, r.keys[i]}
}

// collect makes a port's answer of results, and reports their sources. One error for every key is answered
// as it is, so that it reads like the connector's own.
func collect[K comparable, V any](ctx context.Context, keys []K, results []result, sources []commerce.Source) (map[K]V, error) {
	values := make(map[K]V, len(keys))
	var failed map[K]error
	same := true
	for i := range results {
		switch r := &results[i]; {
		case r.err != nil:
			if failed == nil {
				failed = map[K]error{}
			}
			failed[keys[i]] = r.err
			same = same && sameError(r.err, results[0].err)
		case r.found:
			if v, ok := r.value.(V); ok {
				values[keys[i]] = v
			}
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) && len(failed) > 0 {
		return values, context.Canceled
	}
	commerce.ReportAll(ctx, sources)
	switch {
	case len(failed) == 0:
		return values, nil
	case same && len(failed) == len(keys):
		return values, results[0].err
	default:
		return values, &commerce.BatchError[K]{Errs: failed}
	}
}

// sameError tells whether a and b are one error; only pointers are compared,
// because other errors may hold what cannot be.
func sameError(a, b error) bool {
	return a != nil && b != nil && reflect.TypeOf(a).Kind() == reflect.Pointer && a == b // identity is meant
}

// distinct are keys, each once, in a list of its own.
func distinct[K comparable](keys []K) []K {
	if len(keys) == 1 {
		return []K{keys[0]}
	}
	list := make([]K, 0, len(keys))
	if len(keys) > commerce.MaxBatch {
		return appendDistinct(list, keys)
	}
	var places [256]uint8 // of the list's keys by their hashes, from 1 on; most of them stay free
	for _, k := range keys {
		at := maphash.Comparable(keySeed, k) % uint64(len(places))
		for places[at] != 0 && list[places[at]-1] != k {
			at = (at + 1) % uint64(len(places))
		}
		if places[at] == 0 {
			list = append(list, k)
			places[at] = uint8(len(list)) //nolint:gosec // MaxBatch at most
		}
	}
	return list
}

var keySeed = maphash.MakeSeed()

// appendDistinct adds keys to list, each once, however many they are.
func appendDistinct[K comparable](list, keys []K) []K {
	seen := make(map[K]bool, len(keys))
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			list = append(list, k)
		}
	}
	return list
}

// single is an operation without keys: a batch of one, whose arguments are part
// of the stored key but of no report.
type single[V any] struct {
	cache *Cache
	plan  *plan
}

func (s *single[V]) get(ctx context.Context, who asker, args string, next func(context.Context) (V, error)) (V, error) {
	var none V
	if errors.Is(ctx.Err(), context.Canceled) {
		return none, context.Canceled
	}
	r := &request{plan: s.plan, keys: []string{args}, texts: []string{""}, wish: singleWish[V](next)}
	var results *results
	if prefix, shared := s.plan.prefix(who); shared {
		r.keys[0] = withArgs(prefix, args)
		if s.plan.policy.Scope == commerce.ScopeCustomer {
			r.epoch = s.cache.epochs.of(who.principal.Key())
		}
		results = s.cache.get(ctx, r)
	} else {
		results = r.direct(ctx)
	}
	defer results.giveBack()
	s.cache.metrics.count(ctx, r, results.list)
	got := results.list[0]
	if got.err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return none, context.Canceled
	}
	commerce.Report(ctx, r.sources...)
	v, ok := got.value.(V)
	if got.err == nil && !ok {
		return none, errPanic
	}
	return v, got.err
}

// singleWish asks for one thing, with nobody: its asker is never told.
type singleWish[V any] func(context.Context) (V, error)

func (singleWish[V]) subject(int) string { return "" }

func (next singleWish[V]) load(ctx context.Context, _ []int) []answer {
	v, err := next(ctx)
	return []answer{{value: v, found: err == nil, err: err}}
}

func (next singleWish[V]) together([]passenger) wish { return next }
