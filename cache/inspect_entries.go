package cache

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// explainer collects one explanation.
type explainer struct {
	cache *Cache
	plan  *plan
	query Query
	now   time.Time
	told  Explanation
	keys  []string // as stored: those found so far, which Redis is asked for in any case
}

// loading tells whether anybody's answer of the operation is being loaded.
func (x *explainer) loading() bool {
	c := x.cache
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	for text := range c.flights.byKey {
		if operationOf(text) == x.plan.name {
			return true
		}
	}
	return false
}

func (x *explainer) memory() {
	x.cache.memory.each(func(text string, e *entry) {
		k, ok := readKey(text)
		if !ok || !x.query.matches(k, x.plan.policy.Keyed) {
			return
		}
		x.keys = append(x.keys, text)
		s := x.describe(k, e)
		s.Tier, s.Bytes = "memory", e.size
		if s.Dead == "" {
			s.Dead = x.cache.tags.why(e.tags, func(m mark) bool { return m.local > e.stamp.local })
		}
		s.Alive = s.Dead == ""
		x.told.Entries = append(x.told.Entries, s)
	})
}

// describe is an entry by its own times, in no tier yet.
func (x *explainer) describe(k key, e *entry) EntryState {
	p := x.plan.policy
	s := EntryState{
		Scope: k.scope.String(), Market: marketText(k.market), Group: k.group, args: k.args,
		Use: x.cache.judge(x.plan, e, x.now).String(), Absent: e.missing, AgeMs: e.age(x.now).Milliseconds(),
		Tags: e.tags,
	}
	if templatesOf(x.plan.name, "")[0].kind != "" {
		s.Key = k.args
	}
	stale := e.fresh
	if !e.missing {
		stale = min(e.fresh+max(p.StaleWhileRevalidate, p.StaleIfError), p.life())
	}
	began := x.now.Add(-e.age(x.now)).Round(0).UTC().Truncate(time.Millisecond)
	s.FreshUntil, s.StaleUntil = began.Add(x.cache.span(e, x.now).until).Truncate(time.Millisecond), began.Add(stale).Truncate(time.Millisecond)
	if !e.stamp.global.zero() {
		s.Version = e.stamp.global.String()
	}
	if h := e.onHold(x.now); h != nil {
		s.Held = &HoldState{Reason: h.reason, Until: h.until.Round(0).UTC().Truncate(time.Millisecond)}
	}
	if s.Use == useless.String() {
		s.Dead = "too old"
	}
	return s
}

// String is the verdict for people.
func (v verdict) String() string {
	return [...]string{"none", "fallback", "held", "revalidated", "aging", "fresh"}[v]
}

// why names the tag of an entry that was invalidated too late for it, or answers "".
func (t *tagTable) why(tags []commerce.Tag, after func(mark) bool) string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if after(t.floor) {
		return "everything older was dropped: the stream of invalidations was followed anew, or there were too many tags"
	}
	for _, tag := range tags {
		m, ok := t.marks[tag]
		if !ok || !after(m) {
			continue
		}
		switch {
		case m.pending > 0:
			return "invalidated here, Redis is not told yet: " + string(tag)
		case m.global.zero():
			return "invalidated: " + string(tag)
		default:
			return fmt.Sprintf("invalidated: %s at %v", tag, m.global)
		}
	}
	return ""
}

func (x *explainer) flights() {
	c := x.cache
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	for text, f := range c.flights.byKey {
		k, ok := readKey(text)
		if !ok || f.landed.Load() || !x.query.matches(k, x.plan.policy.Keyed) {
			continue
		}
		x.keys = append(x.keys, text)
		state := FlightState{
			Market: marketText(k.market), Group: k.group, RunningMs: time.Since(f.began).Milliseconds(),
			Waiting: f.waiting, Outdated: c.tags.struck(f.tags, f.stamp.local),
		}
		if templatesOf(x.plan.name, "")[0].kind != "" {
			state.Key = k.args
		}
		x.told.Flights = append(x.told.Flights, state)
	}
	x.told.Loading = len(x.told.Flights) > 0
}

// redis asks Redis, whatever its breaker says, since this is one look by one person.
func (x *explainer) redis(ctx context.Context, known Places) {
	r := x.cache.remote
	if r == nil {
		x.told.Redis = "none"
		return
	}
	keys := x.candidates(known)
	if len(keys) > maxCandidates {
		x.told.Redis = "not asked: " + strconv.Itoa(len(keys)) + " combinations; name channel, locale, currency, country or group"
		return
	}
	ctx, cancel := context.WithTimeout(ctx, newsPatience)
	defer cancel()
	addresses := make([]string, len(keys))
	for i, text := range keys {
		addresses[i] = address(text)
	}
	found, err := r.fetch(ctx, addresses)
	if err != nil {
		x.told.Redis = "failed: " + redisReason(err)
		return
	}
	x.told.Redis = "asked"
	for i, raw := range found {
		if raw != "" {
			x.told.Entries = append(x.told.Entries, x.stored(keys[i], []byte(raw)))
		}
	}
}

// candidates are the keys that Redis may hold: those found already, and those of every known place.
func (x *explainer) candidates(known Places) []string {
	list := map[string]bool{}
	for _, text := range x.keys {
		list[text] = true
	}
	if x.plan.name == commerce.OpSearch {
		return slices.Sorted(maps.Keys(list)) // what was searched for is not known otherwise
	}
	args := x.query.Key
	if x.plan.name == commerce.OpPrices && len(args) > 0 && args[0] != '{' {
		args = "{" + args + " 1}"
	}
	for _, m := range x.markets(known) {
		for _, group := range x.groups(known) {
			if prefix, ok := x.plan.prefix(asker{market: m, group: group}); ok {
				list[withArgs(prefix, args)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(list))
}

func (x *explainer) groups(known Places) []commerce.PriceGroup {
	switch {
	case x.plan.policy.Scope != commerce.ScopeSegment:
		return []commerce.PriceGroup{""}
	case x.query.Group != "":
		return []commerce.PriceGroup{x.query.Group}
	default:
		return known.Groups
	}
}

// markets are all that fit the query, of the fields that the operation depends on.
func (x *explainer) markets(known Places) []commerce.Market {
	of, want := x.plan.policy.Keyed, x.query.Market
	list := []commerce.Market{{}}
	spread := func(by Dimensions, asked string, all []string, set func(*commerce.Market, string)) {
		switch {
		case of&by == 0:
			return
		case asked != "":
			all = []string{asked}
		}
		var next []commerce.Market
		for _, m := range list {
			for _, value := range all {
				set(&m, value)
				next = append(next, m)
			}
		}
		list = next
	}
	spread(ByChannel, want.Channel, known.Channels, func(m *commerce.Market, v string) { m.Channel = v })
	spread(ByLocale, want.Locale, known.Locales, func(m *commerce.Market, v string) { m.Locale = v })
	spread(ByCurrency, want.Currency, known.Currencies, func(m *commerce.Market, v string) { m.Currency = v })
	spread(ByCountry, want.Country, known.Countries, func(m *commerce.Market, v string) { m.Country = v })
	return list
}

// stored describes an entry of Redis, as a load of this process would judge it.
func (x *explainer) stored(text string, raw []byte) EntryState {
	k, _ := readKey(text)
	s, err := x.cache.remote.packer.unpack(text, raw)
	if err != nil {
		state := x.describe(k, &entry{began: x.now})
		state.Tier, state.Dead, state.Use, state.Tags = "redis", "not of this release, or damaged", useless.String(), []commerce.Tag{}
		return state
	}
	tags := slices.Concat(x.keyTags(k), s.tags)
	e := &entry{began: x.now.Add(-x.cache.remote.age(s, x.now)), fresh: x.plan.policy.Fresh, tags: tags, stamp: stamp{global: s.at}}
	state := x.describe(k, e)
	state.Tier, state.Bytes = "redis", uint32(len(raw))
	switch {
	case state.Dead != "":
	case !x.cache.news.current.Load():
		state.Dead = "not taken while invalidations are not heard"
	default:
		state.Dead = x.cache.tags.why(tags, func(m mark) bool { return m.pending > 0 || s.at.before(m.global) })
	}
	state.Alive = state.Dead == ""
	return state
}

// keyTags are the tags that the key tells.
func (x *explainer) keyTags(k key) []commerce.Tag {
	subject := k.args
	if x.plan.name == commerce.OpPrices {
		subject = skuOfPrice(k.args)
	}
	tags := make([]commerce.Tag, len(x.plan.tags))
	for i, t := range x.plan.tags {
		tags[i] = t.of(subject)
	}
	return tags
}

// bound orders what is told and keeps it to a size for people.
func (x *explainer) bound() {
	t := &x.told
	slices.SortFunc(t.Entries, func(a, b EntryState) int {
		return cmp.Or(cmp.Compare(a.Tier, b.Tier), cmp.Compare(a.args, b.args), cmp.Compare(a.Market, b.Market), cmp.Compare(a.Group, b.Group))
	})
	slices.SortFunc(t.Flights, func(a, b FlightState) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Market, b.Market), cmp.Compare(a.Group, b.Group))
	})
	if extra := len(t.Entries) - maxExplained; extra > 0 {
		t.Entries, t.More = t.Entries[:maxExplained], t.More+extra
	}
	if extra := len(t.Flights) - maxExplained; extra > 0 {
		t.Flights, t.More = t.Flights[:maxExplained], t.More+extra
	}
}
