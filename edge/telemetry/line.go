package telemetry

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// logRequest writes the request's line. Nearly all requests are told alike: their line is put
// together here, letter for letter as [slog.JSONHandler] does it. Whatever needs more
// than that (an error, a text to escape) goes to it.
func (t *Telemetry) logRequest(ctx context.Context, level slog.Level, r *Request) {
	if level < t.level {
		return
	}
	var room [512]byte
	line, plain := t.line(room[:0], ctx, level, r)
	if !plain {
		t.log.LogAttrs(ctx, level, "request", r.attrs()...)
		return
	}
	_, _ = t.sink.Write(line) // a log that cannot be written can tell nobody
	if level >= slog.LevelWarn {
		t.sink.flush()
	}
}

// line appends a request's line to b. It answers false when the line is not so plain.
func (t *Telemetry) line(b []byte, ctx context.Context, level slog.Level, r *Request) ([]byte, bool) {
	operation := r.Operation[:min(len(r.Operation), maxOperation)]
	if r.Err != nil || r.Ended != "" || !plain(r.RequestID) || !plain(r.Method) || !plain(r.Route) || !plain(operation) || !plain(r.Answer) {
		return b, false
	}
	b = append(b, `{"time":"`...)
	at := r.At
	if at.IsZero() {
		at = time.Now()
	}
	b = append(at.AppendFormat(b, time.RFC3339Nano), '"')
	b = text(b, "level", level.String())
	b = append(b, `,"msg":"request","channel":"`...)
	b = append(append(b, t.channel...), '"')
	b = text(b, requestKey, r.RequestID)
	b = text(b, "method", r.Method)
	b = text(b, "route", r.Route)
	b = strconv.AppendInt(append(b, `,"status":`...), int64(r.Status), 10)
	b = strconv.AppendFloat(append(b, `,"durationMs":`...), r.milliseconds(), 'f', -1, 64)
	b = strconv.AppendInt(append(b, `,"bytes":`...), r.Bytes, 10)
	if operation != "" {
		b = text(b, "operation", operation)
	}
	if r.Answer != "" {
		b = text(b, "answer", r.Answer)
	}
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
		b = text(b, traceKey, id.String())
	}
	return append(b, '}', '\n'), true
}

// text appends a member whose value is plain.
func text(b []byte, key, value string) []byte {
	b = append(append(append(b, ',', '"'), key...), '"', ':', '"')
	return append(append(b, value...), '"')
}

// plain tells whether s is the same within quotes.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
