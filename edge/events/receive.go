package events

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	// MaxBody is how many bytes a request may hold.
	MaxBody = 64 << 10
	// mostAtOnce is how many requests are read at a time: 16 MiB of bodies.
	mostAtOnce = 256
	// putAllTimeout is what Redis may take for all events of a request together.
	putAllTimeout = 5 * time.Second

	one  = "application/cloudevents+json"
	many = "application/cloudevents-batch+json"
)

// More reasons to refuse a request.
const (
	tooBusy  refusal = "busy"
	tooFast  refusal = "rate"
	tooLarge refusal = "size"
	tooSlow  refusal = "slow"
	badMedia refusal = "media-type"
	invalid  refusal = "invalid"
)

// receiver answers POST /events.
type receiver struct {
	keys    [][]byte
	mappers mappers
	queue   Queue
	metrics *instruments
	log     *slog.Logger
	now     func() time.Time
	places  chan struct{}
	rate    rate
	quiet   quiet
}

// ServeHTTP answers 202 once every event of the request is in safe hands, or was before.
func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case rc.places <- struct{}{}:
		defer func() { <-rc.places }()
	default:
		rc.refuse(w, r, tooBusy, unavailable)
		return
	}
	body, batch, ok := rc.believed(w, r)
	if !ok {
		return
	}
	if !rc.rate.take(rc.now()) {
		rc.refuse(w, r, tooFast, rateLimited)
		return
	}
	changes, err := rc.understood(body, batch)
	if err != nil && len(changes) > 0 {
		rc.salvage(w, r, changes, err)
		return
	}
	if err != nil {
		rc.refuse(w, r, invalid, invalidEvent(err))
		return
	}
	if sum, err := rc.put(r, changes); err == nil {
		write(w, http.StatusAccepted, "application/json", sum)
	} else {
		rc.answer(w, unavailable)
	}
}

// salvage is for a request with a payload that its mapper cannot read: something
// changed, and nobody can tell what. Who sent it is told so; the rest of the request is
// taken, and everything of the payload's system is dropped.
func (rc *receiver) salvage(w http.ResponseWriter, r *http.Request, changes []Change, cause error) {
	if _, err := rc.put(r, changes); err != nil {
		rc.answer(w, unavailable)
		return
	}
	if rc.quiet.may(rc.now()) {
		rc.log.LogAttrs(r.Context(), slog.LevelWarn, "change event not understood; all of its system is dropped", slog.Any("error", cause))
	}
	rc.metrics.refuse(r.Context(), invalid)
	rc.answer(w, invalidEvent(cause))
}

// believed reads the body of a request that is signed and well-formed; anything else is answered.
func (rc *receiver) believed(w http.ResponseWriter, r *http.Request) (body []byte, batch, ok bool) {
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, set := parameters["charset"]
	if err != nil || (media != one && media != many) || (set && !strings.EqualFold(charset, "utf-8")) || r.Header.Get("Content-Encoding") != "" {
		rc.refuse(w, r, badMedia, mediaType)
		return nil, false, false
	}
	claim, reason := claimOf(r.Header, rc.now())
	if reason != "" {
		rc.refuse(w, r, reason, unauthenticated)
		return nil, false, false
	}
	body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	switch _, large := errors.AsType[*http.MaxBytesError](err); {
	case large:
		rc.refuse(w, r, tooLarge, bodyTooLarge)
	case err != nil:
		rc.refuse(w, r, tooSlow, requestTimeout)
	case !claim.by(rc.keys, body):
		rc.refuse(w, r, badSignature, unauthenticated)
	default:
		return body, media == many, true
	}
	return nil, false, false
}

// understood maps all events of a body before any is taken. Changes beside an error are
// to be applied nevertheless; without any, none is.
func (rc *receiver) understood(body []byte, batch bool) (changes []Change, failed error) {
	events, err := readEvents(body, batch)
	if err != nil {
		return nil, err
	}
	changes = make([]Change, len(events))
	for i, event := range events {
		changes[i], err = rc.mappers.understand(event)
		wrong, unread := errors.AsType[*commerce.InputError](err)
		unread = unread && changes[i].mapped && strings.HasPrefix(wrong.Field, "data")
		if err != nil && batch {
			err = within(i, err)
		}
		switch {
		case unread:
			changes[i].Tags = []commerce.Tag{rc.mappers.instead(changes[i].Source)}
			failed = cmp.Or(failed, err)
		case err != nil:
			return nil, err
		}
	}
	return changes, failed
}

// taken is what a request came to.
type taken struct {
	Accepted   int `json:"accepted"`
	Duplicates int `json:"duplicates"`
}

// put queues the changes. When that fails half-way the sender comes again with all of
// them; those that were queued are duplicates then.
func (rc *receiver) put(r *http.Request, changes []Change) (sum taken, failed error) {
	ctx, cancel := context.WithTimeout(r.Context(), putAllTimeout)
	defer cancel()
	for _, change := range changes {
		fresh, err := rc.queue.Put(ctx, change)
		switch {
		case err != nil:
			rc.metrics.count(r.Context(), change.Source, resultFailed)
			if rc.quiet.may(rc.now()) {
				rc.log.LogAttrs(r.Context(), slog.LevelWarn, "change event cannot be taken now", slog.Any("error", err))
			}
			return sum, err
		case fresh:
			sum.Accepted++
			rc.metrics.count(r.Context(), change.Source, resultAccepted)
		default:
			sum.Duplicates++
			rc.metrics.count(r.Context(), change.Source, resultDuplicate)
		}
	}
	return sum, nil
}

func (rc *receiver) refuse(w http.ResponseWriter, r *http.Request, reason refusal, p problem) {
	rc.metrics.refuse(r.Context(), reason)
	if rc.quiet.may(rc.now()) { // whoever can reach the port must not fill the log
		rc.log.LogAttrs(r.Context(), slog.LevelWarn, "change events refused", slog.String("reason", string(reason)))
	}
	rc.answer(w, p)
}

func (rc *receiver) answer(w http.ResponseWriter, p problem) {
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	if p.Status == http.StatusRequestTimeout || p.Status == http.StatusRequestEntityTooLarge {
		w.Header().Set("Connection", "close") // what is left of the body is not read
	}
	write(w, p.Status, "application/problem+json", p)
}

func write(w http.ResponseWriter, status int, contentType string, v any) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever left needs no answer
}

// problem is an answer of RFC 9457.
type problem struct {
	Type   string        `json:"type"`
	Title  string        `json:"title"`
	Status int           `json:"status"`
	Detail string        `json:"detail,omitempty"`
	Field  string        `json:"field,omitempty"`
	Code   commerce.Code `json:"code,omitempty"`
}

var (
	unauthenticated = problem{Type: "/problems/unauthenticated", Title: "Signature is not good", Status: http.StatusUnauthorized}
	bodyTooLarge    = problem{Type: "/problems/too-large", Title: "Body too large", Status: http.StatusRequestEntityTooLarge, Detail: "A body may hold at most 65536 bytes."}
	requestTimeout  = problem{Type: "/problems/request-timeout", Title: "Request too slow", Status: http.StatusRequestTimeout}
	mediaType       = problem{Type: "/problems/unsupported-media-type", Title: "Unsupported media type", Status: http.StatusUnsupportedMediaType, Detail: "Bodies are " + one + " or " + many + " in UTF-8, without a content encoding."}
	rateLimited     = problem{Type: "/problems/rate-limited", Title: "Too many requests", Status: http.StatusTooManyRequests}
	unavailable     = problem{Type: "/problems/unavailable", Title: "Unavailable", Status: http.StatusServiceUnavailable}
)

// invalidEvent names what is wrong with an event; the errors hold no values.
func invalidEvent(err error) problem {
	p := problem{Type: "/problems/invalid-event", Title: "Invalid event", Status: http.StatusBadRequest}
	if wrong, ok := errors.AsType[*commerce.InputError](err); ok {
		p.Detail, p.Field, p.Code = wrong.Message, wrong.Field, wrong.Code
	}
	return p
}

// rate is a bucket of tokens: so many requests a second, and a burst of them.
type rate struct {
	mu     sync.Mutex
	tokens float64
	at     time.Time
}

const (
	perSecond = 200
	burst     = 1000
)

// take is false when the bucket is empty.
func (r *rate) take(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at.IsZero() {
		r.tokens = burst
	} else {
		r.tokens = min(burst, r.tokens+perSecond*max(0, now.Sub(r.at).Seconds()))
	}
	r.at = now
	if r.tokens < 1 {
		return false
	}
	r.tokens--
	return true
}

// quiet lets one thing through in each ten seconds.
type quiet struct {
	mu   sync.Mutex
	next time.Time
}

func (q *quiet) may(now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now.Before(q.next) {
		return false
	}
	q.next = now.Add(10 * time.Second)
	return true
}
