package rest

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/encoding"
	"github.com/portico-bff/portico/bff-mobile/internal/pen"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/bff-mobile/screen"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/schema/commerce"
)

// sharedRoutes says of each route that is read whether its answers are the same for
// everyone in a market and price group. What is not so is never kept. A route needs
// its row.
var sharedRoutes = map[string]bool{
	"/v1/screens/home":           true,
	"/v1/screens/categories/:id": true,
	"/v1/screens/search":         true,
	"/v1/screens/products/:sku":  true,

	"/v1/sync":                     false, // but not made of parts that are kept together
	"/v1/screens/cart/:cartId":     false,
	"/v1/screens/checkout/:cartId": false,
	"/v1/screens/account":          false,
	"/v1/carts/:id":                false,
	"/v1/orders":                   false,
	"/v1/orders/:number":           false,
}

// composed is a screen with what is not fresh in it.
type composed struct {
	shown    any
	degraded []api.Degraded
}

// compose makes a screen for a viewer. Its context and viewer are all it may look at.
type compose func(ctx context.Context, v screen.Viewer) (composed, error)

// form is how an answer is asked to look beside what is in it: all that the request's header
// says about that. Requests that come to the same form are answered with the same bytes.
type form struct {
	encoding encoding.Encoding
}

func formOf(c *fiber.Ctx) form { return form{encoding: web.EncodingOf(c)} }

// text is the form in words: forms are written alike only when they are equal.
func (f form) text() string { return fiber.MIMEApplicationJSON + ";" + f.encoding.String() }

// maxLiteral is how long a request's target may be, in bytes, for it to be known to the letter.
const maxLiteral = 1 << 10

// literally is what a request asks for to the letter: its target as it was sent, in the
// market and price group. Equal letters ask for the same, and nothing needs to be
// understood. It is nil when there are too many, or when they are to be refused.
func (a *API) literally(c *fiber.Ctx, caller web.Caller) *cache.Question {
	target := c.Request().Header.RequestURI()
	pictures, ok := picturesOf(c)
	if a.Answers == nil || len(target) > maxLiteral || !ok {
		return nil
	}
	return &cache.Question{
		Channel: "mobile", Text: []string{"", string(target), strconv.Itoa(pictures.Tile), strconv.Itoa(pictures.Hero)}, // no route; a copy, since fiber uses its memory again
		Market: caller.Market, Group: caller.Group, Form: formOf(c).text(),
	}
}

// kept stands before a handler whose answers are shared, and answers what is kept under
// the very letters of the request.
func (a *API) kept(handle fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		caller := web.CallerOf(c)
		q := a.literally(c, caller)
		if q == nil {
			return handle(c)
		}
		if answer := a.Answers.Kept(q); answer != nil {
			web.NoteAnswer(c, string(cache.Hit))
			web.TellTime(c, nil, cache.Hit)
			return sendAnswer(c, caller, answer)
		}
		if a.proven(c, caller, q) {
			return nil
		}
		return handle(c)
	}
}

// asked is a screen that is asked for, with all that its answer depends on.
type asked struct {
	route  string   // the template
	what   []string // beside the rest, checked and in a form of its own
	form   form
	viewer screen.Viewer
	make   compose
}

func (q *asked) question() *cache.Question {
	return &cache.Question{
		Channel: "mobile", Text: append([]string{q.route}, q.what...), Market: q.viewer.Market, Group: q.viewer.Group, Form: q.form.text(),
	}
}

// shared answers a screen that is the same for everyone in the market and price group:
// kept, or composed once for all who ask at once. what is all that the screen depends
// on beside them, checked and in a form of its own.
func (a *API) shared(c *fiber.Ctx, v screen.Viewer, what []string, make compose) error {
	asked, began := asked{c.Route().Path, what, formOf(c), v, make}, time.Now()
	if a.Answers == nil || !sharedRoutes[asked.route] {
		if err := charge(c, v.Fields); err != nil {
			return err
		}
		made, err := asked.produce(c.UserContext())
		if err != nil {
			return err
		}
		made.Whole = made.Whole && sharedRoutes[asked.route]
		spent, _ := made.Spent.(*timing.Elapsed)
		web.TellTime(c, spent, "")
		return sendAnswer(c, web.CallerOf(c), cache.Prove(made, began, a.Surrogates))
	}
	q, ctx, id, caller := asked.question(), c.UserContext(), requestid.From(c.UserContext()), web.CallerOf(c)
	if answer := a.Answers.Kept(q); answer != nil {
		return a.sendKept(c, caller, answer)
	}
	if a.proven(c, caller, q) {
		return nil
	}
	if err := charge(c, v.Fields); err != nil {
		return err
	}
	asked.viewer = anyone(v)
	answer, result, err := a.Answers.Do(ctx, q, func(ctx context.Context) (cache.Produced, error) {
		return asked.produce(requestid.With(ctx, id))
	})
	web.NoteAnswer(c, string(result))
	if err != nil {
		return err
	}
	spent, _ := answer.Spent.(*timing.Elapsed)
	web.TellTime(c, spent, result)
	a.alias(c, caller, answer)
	return sendAnswer(c, caller, answer)
}

// sendKept answers with what is kept, which is found by its letters from now on.
func (a *API) sendKept(c *fiber.Ctx, caller web.Caller, answer *cache.Answer) error {
	web.NoteAnswer(c, string(cache.Hit))
	web.TellTime(c, nil, cache.Hit)
	a.alias(c, caller, answer)
	return sendAnswer(c, caller, answer)
}

// alias has answer found under the letters of the request: before anything is routed where
// that may be, else by [API.kept].
func (a *API) alias(c *fiber.Ctx, caller web.Caller, answer *cache.Answer) {
	if a.Quick.Note(c, answer) {
		return
	}
	if literally := a.literally(c, caller); literally != nil {
		a.Answers.Alias(literally, answer)
	}
}

// anyone is nobody in particular in v's place.
func anyone(v screen.Viewer) screen.Viewer {
	v.Principal = commerce.Principal{PriceGroup: v.Group}
	return v
}

// produce composes the screen, encodes it, once for all who get it, and tells where all of
// it came from.
func (q *asked) produce(ctx context.Context) (cache.Produced, error) {
	ctx, sink := commerce.WithSink(ctx)
	ctx, _ = commerce.WithTrail(ctx) // for calls past the cache
	made, err := q.make(ctx, q.viewer)
	if err != nil {
		return cache.Produced{}, &timing.Failed{Err: err, Spent: timing.Of(ctx, sink.Lists(nil))}
	}
	q.viewer.Fields.Trim(made.shown)
	body, err := pen.Marshal(made.shown)
	if err != nil {
		return cache.Produced{}, err
	}
	body, in := q.form.encoding.Encode(body)
	lists := sink.Lists(nil)
	return cache.Produced{
		Body: body, Seed: q.seed(in, body), ContentType: fiber.MIMEApplicationJSON, Of: web.NewShown(q.route, q.viewer.Market, in),
		Whole: len(made.degraded) == 0, Lists: lists, Rest: made.degraded, Spent: timing.Of(ctx, lists),
	}, nil
}

// sendAnswer answers with what is kept or was composed for several at once, or that the
// client has it already.
func sendAnswer(c *fiber.Ctx, caller web.Caller, answer *cache.Answer) error {
	if caller.Principal.Anonymous() && answer.Public() {
		web.Shared(c)
		web.SendShared(c, answer, time.Now())
		return nil
	}
	degraded, _ := answer.Rest.([]api.Degraded)
	web.NoteDegraded(c, degraded)
	control := unproven(degraded)
	if answer.Public() && answer.Entity != nil {
		tag := ownTag(caller.Principal, answer.Entity()[0])
		if web.NoneMatchOf(c, tag) {
			web.SendUnchanged(c, tag, owners)
			return nil
		}
		c.Set(fiber.HeaderETag, tag)
		control = owners
	}
	c.Set(fiber.HeaderCacheControl, control)
	web.SendBody(c.Response(), answer)
	return nil
}

// plain writes what a list of products is asked for so that requests that mean the
// same are written alike: defaults filled in, and of what is a set the order left out.
func plain(q commerce.SearchQuery) []string {
	list := []string{
		q.Text, string(q.Sort), strconv.Itoa(q.First), q.After, string(q.Filter.Category),
		q.Filter.PriceMin, q.Filter.PriceMax, strconv.FormatBool(q.Filter.InStock),
	}
	for _, code := range slices.Sorted(maps.Keys(q.Filter.Facets)) {
		values := slices.Sorted(slices.Values(q.Filter.Facets[code]))
		list = append(list, code, strconv.Itoa(len(values)))
		list = append(list, values...)
	}
	return list
}
