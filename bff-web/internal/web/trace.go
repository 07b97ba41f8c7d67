package web

import (
	"net/http"

	"github.com/portico-bff/portico/edge/requestid"
	"github.com/portico-bff/portico/edge/telemetry"
)

// Trace gives each request its span, within the trace that its headers name. It
// stands outside [Observe], so that the request's log line names the trace. Where
// traces are off it is not there at all.
func Trace(t *telemetry.Telemetry, route string) Middleware {
	return func(next http.Handler) http.Handler {
		if !t.Tracing() {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, span := t.StartRequest(r.Context(), r.Method, telemetry.TraceHeaders{
				Traceparent: r.Header.Values("Traceparent"), Tracestate: r.Header.Values("Tracestate"),
			})
			rec := &recorder{ResponseWriter: w, status: http.StatusOK}
			defer func() { span.End(route, rec.status, requestid.From(ctx)) }()
			next.ServeHTTP(rec, r.WithContext(ctx))
		})
	}
}
