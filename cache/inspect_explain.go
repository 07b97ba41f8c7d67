package cache

import (
	"context"
	"strings"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// Query asks what is kept of a key. Empty fields of Market, and an empty Group, match any.
type Query struct {
	Operation commerce.Operation
	// Key is written as in [commerce.Source]; of a price the SKU alone means every quantity
	// in memory, and one in Redis.
	// Operations without keys have none.
	Key    string
	Market commerce.Market
	Group  commerce.PriceGroup
}

// Places are where Redis is searched: it finds only what is named in full.
type Places struct {
	Channels, Locales, Currencies, Countries []string
	Groups                                   []commerce.PriceGroup
}

const (
	maxExplained  = 100  // entries and flights told of
	maxCandidates = 2000 // keys that Redis is asked for
)

// Explanation is what is kept of a key. No value is in it, and nothing about a person.
type Explanation struct {
	Operation commerce.Operation `json:"operation"`
	Key       string             `json:"key,omitempty"`
	// Private answers are never kept; that one is being loaded is all that is told.
	Private bool          `json:"private"`
	Loading bool          `json:"loading"`
	Redis   string        `json:"redis,omitempty"` // "asked", "none", "unheard", or why it could not be asked
	Entries []EntryState  `json:"entries"`
	Flights []FlightState `json:"flights"`
	More    int           `json:"more,omitempty"` // entries and flights beyond those
}

// EntryState is one entry in one tier.
type EntryState struct {
	Tier       string              `json:"tier"` // "memory", "redis"
	Key        string              `json:"key,omitempty"`
	Scope      string              `json:"scope"`
	Market     string              `json:"market"` // channel/locale/currency/country; - for what it does not depend on
	Group      commerce.PriceGroup `json:"group,omitempty"`
	Use        string              `json:"use"` // what it is good for by its age; see docs/caching.md
	Alive      bool                `json:"alive"`
	Dead       string              `json:"dead,omitempty"` // why
	Absent     bool                `json:"absent,omitempty"`
	AgeMs      int64               `json:"ageMs"`
	FreshUntil time.Time           `json:"freshUntil"`
	StaleUntil time.Time           `json:"staleUntil"`
	Held       *HoldState          `json:"held,omitempty"`
	Version    string              `json:"version,omitempty"` // of the last invalidation its load knew of; empty without Redis
	Bytes      uint32              `json:"bytes,omitempty"`
	Tags       []commerce.Tag      `json:"tags"`

	args string
}

// HoldState says why an entry is not loaded anew for now.
type HoldState struct {
	Reason commerce.Reason `json:"reason"`
	Until  time.Time       `json:"until"`
}

// FlightState is a load under way.
type FlightState struct {
	Key       string              `json:"key,omitempty"`
	Market    string              `json:"market"`
	Group     commerce.PriceGroup `json:"group,omitempty"`
	RunningMs int64               `json:"runningMs"`
	Waiting   int                 `json:"waiting"`
	Outdated  bool                `json:"outdated"` // something was invalidated since: nobody joins it any more
}

// Explain tells what this process's memory, Redis and the loads under way have of a
// key, in time that grows with what memory holds. A query that cannot be answered is a
// [commerce.InputError].
func (c *Cache) Explain(ctx context.Context, q Query, known Places) (Explanation, error) {
	p, err := c.planFor(q)
	if err != nil {
		return Explanation{}, err
	}
	x := &explainer{cache: c, plan: p, query: q, now: time.Now()}
	x.told = Explanation{Operation: p.name, Entries: []EntryState{}, Flights: []FlightState{}}
	if p.policy.Scope < commerce.ScopeSegment || p.policy.Fresh == 0 {
		x.told.Private = true
		x.told.Loading = x.loading()
		return x.told, nil
	}
	x.told.Key = q.Key
	x.memory()
	x.flights()
	x.redis(ctx, known)
	x.bound()
	return x.told, nil
}

// planFor is the plan that q asks about.
func (c *Cache) planFor(q Query) (*plan, error) {
	if _, ok := policies[q.Operation]; !ok {
		return nil, unknownOperation()
	}
	for _, p := range c.metrics.known() {
		if p.name != q.Operation {
			continue
		}
		if p.policy.Fresh == 0 {
			return p, nil
		}
		return p, checkKey(q.Operation, q.Key)
	}
	return nil, &commerce.InputError{Field: "operation", Code: commerce.CodeUnsupported, Message: "has no system here"}
}

func unknownOperation() error {
	return &commerce.InputError{Field: "operation", Code: commerce.CodeUnsupported, Message: "is not an operation whose answers are kept"}
}

// maxKey bounds a key that comes from outside, in bytes.
const maxKey = 512

// checkKey looks whether op has keys when one is given, and none otherwise.
func checkKey(op commerce.Operation, text string) error {
	switch keyed := templatesOf(op, "")[0].kind != ""; {
	case keyed && text == "":
		return &commerce.InputError{Field: "key", Code: commerce.CodeRequired, Message: "is required"}
	case !keyed && text != "":
		return &commerce.InputError{Field: "key", Code: commerce.CodeInvalid, Message: "must be empty: the operation has no keys"}
	case len(text) > maxKey:
		return &commerce.InputError{Field: "key", Code: commerce.CodeTooLong, Message: "must have at most 512 bytes"}
	}
	return nil
}

// TagOfKey is the tag that [Cache.Forget] invalidates for a key of op. An operation
// whose answers are never kept, and a key that does not fit, are [commerce.InputError]s.
func TagOfKey(op commerce.Operation, text string) (commerce.Tag, error) {
	if policies[op].Fresh == 0 {
		return "", unknownOperation()
	}
	if err := checkKey(op, text); err != nil {
		return "", err
	}
	return tagOfKey(op, text), nil
}

// matches tells whether q asks about k.
func (q Query) matches(k key, of Dimensions) bool {
	if k.operation != q.Operation || k.scope < commerce.ScopeSegment {
		return false
	}
	if templatesOf(q.Operation, "")[0].kind != "" && !q.means(k.args) {
		return false
	}
	want := of.of(q.Market)
	return (want.Channel == "" || want.Channel == k.market.Channel) && (want.Locale == "" || want.Locale == k.market.Locale) &&
		(want.Currency == "" || want.Currency == k.market.Currency) && (want.Country == "" || want.Country == k.market.Country) &&
		(q.Group == "" || k.scope != commerce.ScopeSegment || q.Group == k.group)
}

// means tells whether q's key is args, or a product of which args are a price.
func (q Query) means(args string) bool {
	return args == q.Key || (q.Operation == commerce.OpPrices && skuOfPrice(args) == q.Key)
}

// skuOfPrice is whose price a key "{SKU quantity}" is.
func skuOfPrice(args string) string {
	sku, _, _ := strings.Cut(strings.TrimPrefix(args, "{"), " ")
	return sku
}

// marketText is what an answer depends on, for people.
func marketText(m commerce.Market) string {
	parts := []string{m.Channel, m.Locale, m.Currency, m.Country}
	for i, part := range parts {
		if part == "" {
			parts[i] = "-"
		}
	}
	return strings.Join(parts, "/")
}
