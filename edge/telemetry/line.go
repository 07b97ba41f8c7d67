package telemetry

import (
	"context"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// logRequest writes the line of a request of a kind. Nearly all requests are told alike: their
// line is put together here, letter for letter as [slog.JSONHandler] does it. Whatever needs
// more than that (an error, a text to escape) goes to it.
func (t *Telemetry) logRequest(ctx context.Context, of *alike, r *Request) {
	level := levelOf(r.Status)
	if level < t.level {
		return
	}
	var room [512]byte
	line, plain := t.line(room[:0], ctx, of, r)
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
func (t *Telemetry) line(b []byte, ctx context.Context, of *alike, r *Request) ([]byte, bool) {
	operation := r.Operation[:min(len(r.Operation), maxOperation)]
	if of.before == "" || r.Err != nil || r.Ended != "" || !plain(r.RequestID) || !plain(operation) || !plain(r.Answer) {
		return b, false
	}
	b = append(b, `{"time":"`...)
	at := r.At
	if at.IsZero() {
		at = time.Now()
	}
	b = append(t.clock.append(b, at), of.before...)
	b = append(append(b, r.RequestID...), of.after...)
	b = appendMilliseconds(b, r.Duration)
	b = strconv.AppendInt(append(b, `,"bytes":`...), r.Bytes, 10)
	if operation != "" {
		b = text(b, "operation", operation)
	}
	if r.Answer != "" {
		b = text(b, "answer", r.Answer)
	}
	if ctx != context.Background() { // which has no trace
		if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
			b = text(b, traceKey, id.String())
		}
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

// second is a second in words, which all lines of it have in common.
type second struct {
	unix       int64
	in         *time.Location
	text, zone string
}

// clock writes times as [time.RFC3339Nano] has them. The zero value is ready.
type clock struct{ last atomic.Pointer[second] }

func (c *clock) append(b []byte, at time.Time) []byte {
	s := c.last.Load()
	if unix, in := at.Unix(), at.Location(); s == nil || s.unix != unix || s.in != in { // no zone begins within a second
		s = &second{unix, in, at.Format("2006-01-02T15:04:05"), at.Format("Z07:00")}
		c.last.Store(s)
	}
	const digits = 9
	return append(appendFraction(append(b, s.text...), at.Nanosecond(), digits), s.zone...)
}

// appendMilliseconds appends how long something took, to the microsecond.
func appendMilliseconds(b []byte, d time.Duration) []byte {
	const thousand, digits, most = 1000, 3, 1e12 // beyond most a number is not written like that any more
	us := d.Microseconds()
	if us < 0 || us > most {
		return strconv.AppendFloat(b, milliseconds(d), 'f', -1, 64)
	}
	return appendFraction(strconv.AppendInt(b, us/thousand, 10), int(us%thousand), digits)
}

// appendFraction appends a point and a number of so many digits, of which those at the end
// that are 0 are not written; nothing for 0.
func appendFraction(b []byte, number, digits int) []byte {
	if number == 0 {
		return b
	}
	const ten = 10
	for ; number%ten == 0; number /= ten {
		digits--
	}
	b = append(b, ".000000000"[:1+digits]...)
	for at := len(b) - 1; number > 0; at-- {
		b[at] = '0' + byte(number%ten)
		number /= ten
	}
	return b
}
