package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/portico-bff/portico/bff-mobile/internal/problem"
	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/edge/telemetry"
)

// Observer writes the one line and the metrics of a request.
type Observer interface {
	ObserveRequest(ctx context.Context, r telemetry.Request)
}

type localKey int

const (
	causeKey localKey = iota
	callerKey
	seenKey
	answerKey
	clientKey
	sharedKey
	ofRequestKey
	madeKey
)

// Observe names the request, answers its errors and panics as problems, and
// tells about it once, when all is done.
func Observe(to Observer, log *slog.Logger) fiber.Handler {
	return func(c *fiber.Ctx) error {
		begin := time.Now()
		c.Locals(seenKey, true)
		id := requestid.New(c.Get(requestid.Header))
		ctx := requestid.With(c.UserContext(), id)
		c.SetUserContext(ctx)
		tellRequest(&c.Response().Header, id)
		if err := next(c, log); err != nil {
			Fail(c, err)
		}
		to.ObserveRequest(ctx, telemetry.Request{
			Method: c.Method(), Route: route(c), Status: c.Response().StatusCode(), Duration: time.Since(begin),
			Bytes: int64(len(c.Response().Body())), RequestID: id, Err: cause(c), Answer: answered(c), Made: known(c),
		})
		return nil
	}
}

// tellRequest begins every answer's header.
func tellRequest(header *fasthttp.ResponseHeader, id string) {
	set(header, requestid.Header, id)
	set(header, fiber.HeaderXContentTypeOptions, "nosniff")
}

// next runs the rest and turns a panic into an error.
func next(c *fiber.Ctx, log *slog.Logger) (err error) {
	defer func() {
		if r := recover(); r != nil {
			log.LogAttrs(c.UserContext(), slog.LevelError, "panic",
				slog.String("requestId", requestid.From(c.UserContext())), slog.Any("cause", r), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return c.Next()
}

// route is the template that matched; what matched none is not told apart, since
// a client could make up any number of paths.
func route(c *fiber.Ctx) string {
	if c.Response().StatusCode() == fiber.StatusNotFound && c.Route().Path == "/" {
		return "unmatched"
	}
	return c.Route().Path
}

// NoteAnswer says how the answer cache was used, for the request's log line.
func NoteAnswer(c *fiber.Ctx, result string) { c.Locals(answerKey, result) }

func answered(c *fiber.Ctx) string {
	result, _ := c.Locals(answerKey).(string)
	return result
}

// Cause remembers, for the log, why the request is answered with a 5xx.
func Cause(c *fiber.Ctx, err error) { c.Locals(causeKey, err) }

func cause(c *fiber.Ctx) error {
	err, _ := c.Locals(causeKey).(error)
	return err
}

// Fail answers err as a problem.
func Fail(c *fiber.Ctx, err error) {
	p := problem.From(own(err), requestid.From(c.UserContext()))
	if p.Status >= fiber.StatusInternalServerError {
		Cause(c, err)
	}
	SendProblem(c, p)
}

// own maps the errors that fiber and fasthttp make.
func own(err error) error {
	theirs, ok := errors.AsType[*fiber.Error](err)
	if !ok {
		return err
	}
	for _, t := range problem.Types {
		if t.Status == theirs.Code && t.Name != problem.Internal.Name && t.Name != problem.Invalid.Name {
			return &problem.Error{Type: t, Detail: t.Meaning}
		}
	}
	return &problem.Error{Type: problem.Invalid, Detail: "the request is malformed"}
}

// SendProblem writes p in place of any other answer.
func SendProblem(c *fiber.Ctx, p problem.Problem) {
	OfNoMarket(c)
	if s := p.RetrySeconds(); s > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(s))
	}
	if p.Status == fiber.StatusUnauthorized {
		challenge := "Bearer"
		if c.Get(fiber.HeaderAuthorization) != "" {
			challenge = `Bearer error="invalid_token"`
		}
		c.Set(fiber.HeaderWWWAuthenticate, challenge)
	}
	c.Set(fiber.HeaderContentType, problem.ContentType)
	c.Status(p.Status)
	c.Response().SetBodyRaw(p.JSON())
}

// OfNoMarket takes back what names the market of an answer: a problem is the same in each,
// and nobody keeps it.
func OfNoMarket(c *fiber.Ctx) {
	h := &c.Response().Header
	for _, name := range ofMarket {
		h.Del(name)
	}
	h.Del(fiber.HeaderVary)
	c.Set(fiber.HeaderCacheControl, "no-store")
}

// Deadline ends the request's context after timeout: fiber's own never ends, and
// a client that leaves is not noticed.
func Deadline(timeout time.Duration) fiber.Handler {
	return func(c *fiber.Ctx) error {
		ctx, cancel := context.WithTimeout(c.UserContext(), timeout)
		defer cancel()
		c.SetUserContext(ctx)
		return c.Next()
	}
}
