package cache

import (
	"strings"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// Dimensions are the fields of a market on which an operation's answer depends.
type Dimensions uint8

// The dimensions of a market, and all of them.
const (
	ByChannel Dimensions = 1 << iota
	ByLocale
	ByCurrency
	ByCountry
	ByMarket = ByChannel | ByLocale | ByCurrency | ByCountry
)

// Policy is how one port operation is cached, in the words of RFC 9111 and 5861.
type Policy struct {
	// Fresh is how long an answer is as good as new. 0: it is never kept, and
	// callers share a load only with themselves.
	Fresh time.Duration
	// StaleWhileRevalidate is how long after Fresh it is answered at once while it is loaded anew.
	StaleWhileRevalidate time.Duration
	// StaleIfError is how long after Fresh it is answered when the system fails or takes too long.
	StaleIfError time.Duration
	// Negative is how long it is remembered that a key was not found; at most maxNegative.
	Negative time.Duration
	// Scope is the widest circle that may share an answer. Traits narrow it.
	Scope commerce.Scope
	// Keyed are the market's fields that tell answers apart.
	Keyed Dimensions
	// Tags name what an answer is made of; {key} stands for the key's own id. The first is the one that [Cache.Forget]
	// invalidates. Every answer also has its operation's tag, its system's, and [commerce.TagAll].
	Tags []string
}

const (
	// softTimeout is how long a load may take before a stale answer is given instead.
	softTimeout = 100 * time.Millisecond
	// loadTimeout ends a load nobody may be waiting for any more.
	loadTimeout = 5 * time.Second
	// failureHold is how long a stale answer is given without asking a system that just failed …
	failureHold = 5 * time.Second
	// … or longer, when the system said so, but at most this long.
	maxHold = 30 * time.Second
	// maxNegative bounds how long a product that was just published stays unknown.
	maxNegative = 5 * time.Second
	// watchFrom is the share of a lifetime, in percent, after which it is noted when an answer is read.
	watchFrom = 60
	// refreshAt is the share of a lifetime, in percent, after which a read that is probably
	// the last has the answer loaded anew ahead of time.
	refreshAt = 80
	// leastLead and mostLead bound, in percent of a lifetime, how long before its end an
	// answer is loaded anew at the latest.
	leastLead, mostLead = 2, 20
	// spread is the share of Fresh, in percent, by which lifetimes differ, so that what
	// many calls loaded at a time does not expire at a time.
	spread = 20
)

// policies has every operation that is not passed through. A kind's traits
// change Lifetime and narrow Scope; nothing makes an operation without Fresh kept.
var policies = map[commerce.Operation]Policy{
	commerce.OpProducts:     {Fresh: 5 * time.Minute, StaleWhileRevalidate: time.Minute, StaleIfError: 24 * time.Hour, Negative: maxNegative, Scope: commerce.ScopePublic, Keyed: ByMarket &^ ByCurrency, Tags: []string{"product:{key}", "sku:{key}"}},
	commerce.OpRelated:      {Fresh: 5 * time.Minute, StaleWhileRevalidate: 5 * time.Minute, StaleIfError: 24 * time.Hour, Negative: maxNegative, Scope: commerce.ScopePublic, Keyed: ByMarket &^ ByCurrency, Tags: []string{"related:{key}", "product:{key}", "sku:{key}"}},
	commerce.OpCategoryTree: {Fresh: 10 * time.Minute, StaleWhileRevalidate: 5 * time.Minute, StaleIfError: 24 * time.Hour, Scope: commerce.ScopePublic, Keyed: ByMarket &^ ByCurrency, Tags: []string{"categories"}},
	commerce.OpPages:        {Fresh: 5 * time.Minute, StaleWhileRevalidate: 5 * time.Minute, StaleIfError: 24 * time.Hour, Negative: maxNegative, Scope: commerce.ScopePublic, Keyed: ByMarket &^ ByCurrency, Tags: []string{"page:{key}"}},
	commerce.OpReviews:      {Fresh: 5 * time.Minute, StaleWhileRevalidate: 5 * time.Minute, StaleIfError: 24 * time.Hour, Negative: maxNegative, Scope: commerce.ScopePublic, Keyed: ByMarket &^ ByCurrency, Tags: []string{"reviews:{key}", "sku:{key}"}},
	commerce.OpSearch:       {Fresh: time.Minute, StaleIfError: 10 * time.Minute, Scope: commerce.ScopePublic, Keyed: ByMarket, Tags: []string{"search"}},
	commerce.OpPrices:       {Fresh: time.Minute, StaleIfError: 30 * time.Minute, Negative: maxNegative, Scope: commerce.ScopeSegment, Keyed: ByMarket, Tags: []string{"price:{key}", "sku:{key}"}},
	commerce.OpAvailability: {Fresh: 10 * time.Second, StaleIfError: 5 * time.Minute, Negative: maxNegative, Scope: commerce.ScopePublic, Keyed: ByMarket &^ ByCurrency, Tags: []string{"stock:{key}", "sku:{key}"}},

	// What belongs to one principal is never kept.
	commerce.OpCustomer: {Scope: commerce.ScopeCustomer},
	commerce.OpLoyalty:  {Scope: commerce.ScopeCustomer},
	commerce.OpOrders:   {Scope: commerce.ScopeCustomer},
	commerce.OpOrder:    {Scope: commerce.ScopeCustomer},
	commerce.OpInvoices: {Scope: commerce.ScopeCustomer},
	// A guest's order is for whoever holds its token: not even its load is shared.
	commerce.OpGuestOrder: {Scope: commerce.ScopeSession},
}

// joined is the operation's policy with what its kind declares. Without traits
// the answer is private.
func joined(op commerce.Operation, traits commerce.Traits) Policy {
	p := policies[op]
	p.Scope = min(p.Scope, traits.Scope)
	if p.Fresh > 0 && traits.Lifetime > 0 {
		p.Fresh = traits.Lifetime
	}
	p.Negative = min(p.Negative, maxNegative)
	return p
}

// policy is what this cache does with the operation's answers.
func (c *Cache) policy(op commerce.Operation, traits commerce.Traits) Policy {
	p := joined(op, traits)
	if c.off {
		p.Fresh, p.StaleWhileRevalidate, p.StaleIfError, p.Negative = 0, 0, 0, 0
	}
	return p
}

// life is how long an answer can be of any use.
func (p Policy) life() time.Duration {
	if p.Fresh == 0 {
		return 0
	}
	return p.Fresh + max(p.StaleWhileRevalidate, p.StaleIfError)
}

// of keeps the market's keyed fields.
func (d Dimensions) of(m commerce.Market) commerce.Market {
	var kept commerce.Market
	if d&ByChannel != 0 {
		kept.Channel = m.Channel
	}
	if d&ByLocale != 0 {
		kept.Locale = m.Locale
	}
	if d&ByCurrency != 0 {
		kept.Currency = m.Currency
	}
	if d&ByCountry != 0 {
		kept.Country = m.Country
	}
	return kept
}

// template is a tag of an operation's answers, which may name their key.
type template struct {
	fixed commerce.Tag
	kind  string // of the key's tag; empty when the tag is fixed
}

const keyPlace = ":{key}"

func (t template) of(subject string) commerce.Tag {
	if t.kind == "" {
		return t.fixed
	}
	return commerce.TagOf(t.kind, subject)
}

// templatesOf are the tags of every answer of op by a kind of system.
func templatesOf(op commerce.Operation, system string) []template {
	var list []template
	for _, text := range policies[op].Tags {
		if kind, named := strings.CutSuffix(text, keyPlace); named {
			list = append(list, template{kind: kind})
		} else {
			list = append(list, template{fixed: commerce.Tag(text)})
		}
	}
	return append(list, template{fixed: commerce.TagOperation(op)}, template{fixed: commerce.TagSystem(system)}, template{fixed: commerce.TagAll})
}

// tagOfKey is the tag for a key of op alone, written as in [commerce.Source].
func tagOfKey(op commerce.Operation, text string) commerce.Tag {
	tags := templatesOf(op, "")
	if op == commerce.OpPrices {
		text, _, _ = strings.Cut(strings.TrimPrefix(text, "{"), " ")
	}
	return tags[0].of(text)
}

// ownTags adds the tags that value tells to those of its key. like are those of a value that may
// be like it, as a list's neighbours are: tags that both have are the same piece of memory.
type ownTags func(tags, like []commerce.Tag, value any) []commerce.Tag

// extras are the tags that only values of an operation tell.
var extras = map[commerce.Operation]ownTags{
	commerce.OpProducts: categoriesOf,
	commerce.OpRelated:  shownOn,
}

// shownOn are the tags of the products on cards: one that changes is shown anew.
func shownOn(tags, _ []commerce.Tag, value any) []commerce.Tag {
	cards, _ := value.([]commerce.RelatedProduct)
	for _, card := range cards {
		tags = append(tags, commerce.TagProduct(card.SKU), commerce.TagSKU(card.SKU))
	}
	return tags
}

// categoriesOf are the tags of the categories that a product is in.
func categoriesOf(tags, like []commerce.Tag, value any) []commerce.Tag {
	p, ok := value.(*commerce.Product)
	if !ok || p == nil {
		return tags
	}
	var room [commerce.MaxTag]byte
	for n, c := range p.Categories {
		tag := commerce.AppendTag(room[:0], "category", string(c.ID))
		if n < len(like) && string(like[n]) == string(tag) {
			tags = append(tags, like[n])
		} else {
			tags = append(tags, commerce.Tag(tag))
		}
	}
	return tags
}
