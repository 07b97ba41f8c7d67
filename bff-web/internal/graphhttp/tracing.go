package graphhttp

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/schema/commerce"
)

// traceHeader asks for a trace of the request in the answer.
const traceHeader = "X-Trace"

const (
	// traceAge is how long a signed header is good for.
	traceAge = time.Minute
	// traceAhead is how much a signer's clock may be ahead of ours.
	traceAhead = 5 * time.Second
	// maxTraceHeader is more than any signed header has, in bytes.
	maxTraceHeader = 128
	// refusalsLogged is how often refused headers are worth a line.
	refusalsLogged = time.Second
)

// Tracing decides who is shown a trace of a request. Nil shows none to anybody.
type Tracing struct {
	open    bool
	secret  []byte
	log     *slog.Logger
	asked   metric.Int64Counter
	granted metric.MeasurementOption
	refused map[error]metric.MeasurementOption
	logged  atomic.Int64 // when a refusal was last logged, in ns since 1970
}

// TracingDeps is what Tracing tells of.
type TracingDeps struct {
	Log   *slog.Logger
	Meter metric.MeterProvider // nil: nothing is measured
}

// Why a header brings no trace.
var (
	errTraceForm   = errors.New("malformed")
	errTraceOld    = errors.New("expired")
	errTraceFuture = errors.New("from the future")
	errTraceSigned = errors.New("signature not ours")
)

// NewTracing shows traces to whoever asks (X-Trace: 1) when open, and otherwise to
// who signs with secret ([SignTrace]). It is nil, which shows none, when neither is so.
func NewTracing(open bool, secret commerce.Secret, deps TracingDeps) *Tracing {
	if !open && secret == "" {
		return nil
	}
	if deps.Meter == nil {
		deps.Meter = noop.NewMeterProvider()
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	asked, err := deps.Meter.Meter("github.com/portico-bff/portico/bff-web").Int64Counter("portico.web.traces",
		metric.WithUnit("{request}"), metric.WithDescription("Requests that asked for a trace, by whether they were shown one or why not."))
	if err != nil { // it counts nothing then
		deps.Log.Warn("traces are not counted", slog.Any("error", err))
	}
	t := &Tracing{
		open: open, secret: []byte(secret), log: deps.Log, asked: asked,
		granted: traceResult("granted"), refused: map[error]metric.MeasurementOption{},
	}
	for _, why := range []error{errTraceForm, errTraceOld, errTraceFuture, errTraceSigned} {
		t.refused[why] = traceResult(why.Error())
	}
	return t
}

func traceResult(word string) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attribute.String("result", word)))
}

// asks tells whether a request asks for a trace, be it in vain. Where none is shown
// to anybody it does not.
func (t *Tracing) asks(header http.Header) bool { return t != nil && header[traceHeader] != nil }

// grants tells whether a request for document is shown a trace.
func (t *Tracing) grants(ctx context.Context, header http.Header, document string) bool {
	if !t.asks(header) {
		return false
	}
	why := t.verify(header[traceHeader], document)
	if why == nil {
		t.asked.Add(ctx, 1, t.granted)
		return true
	}
	t.asked.Add(ctx, 1, t.refused[why])
	last, now := t.logged.Load(), time.Now().UnixNano()
	if now-last >= int64(refusalsLogged) && t.logged.CompareAndSwap(last, now) {
		t.log.LogAttrs(ctx, slog.LevelWarn, "a trace was refused",
			slog.String("reason", why.Error()), slog.String("requestId", requestid.From(ctx)))
	}
	return false
}

// verify is nil when the header's values earn a trace of document, else why not.
func (t *Tracing) verify(values []string, document string) error {
	if len(values) != 1 || len(values[0]) > maxTraceHeader {
		return errTraceForm
	}
	if t.open && values[0] == "1" {
		return nil
	}
	stamp, signature, ok := strings.Cut(values[0], ".")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	sum, decodeErr := base64.RawURLEncoding.Strict().DecodeString(signature)
	if !ok || err != nil || decodeErr != nil || strconv.FormatInt(seconds, 10) != stamp {
		return errTraceForm
	}
	// The signature first: who cannot sign learns nothing of our clock.
	if len(t.secret) == 0 || !hmac.Equal(sum, traceSum(t.secret, stamp, document)) {
		return errTraceSigned
	}
	switch age := time.Since(time.Unix(seconds, 0)); {
	case age > traceAge:
		return errTraceOld
	case age < -traceAhead:
		return errTraceFuture
	default:
		return nil
	}
}

// SignTrace is the value of X-Trace that shows a trace of document, the text of the
// query, for a minute from now on.
func SignTrace(secret commerce.Secret, document string, now time.Time) string {
	stamp := strconv.FormatInt(now.Unix(), 10)
	return stamp + "." + base64.RawURLEncoding.EncodeToString(traceSum([]byte(secret), stamp, document))
}

// traceSum signs a time and a document by its hash, so that what was seen of one
// request traces no other.
func traceSum(secret []byte, stamp, document string) []byte {
	hash := sha256.Sum256([]byte(document))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("portico-trace\n" + stamp + "\n" + hex.EncodeToString(hash[:])))
	return mac.Sum(nil)
}

type tracedKey struct{}

// traced is a context in which a trace is made of the request that came in at began.
func traced(ctx context.Context, began time.Time) context.Context {
	return context.WithValue(ctx, tracedKey{}, began)
}

func tracedSince(ctx context.Context) (began time.Time, ok bool) {
	began, ok = ctx.Value(tracedKey{}).(time.Time)
	return began, ok
}
