package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/portico-bff/portico/schema/commerce"
)

const canary = "CANARY-7d1f"

// Canaries in every part of the call, the answer and the transport's own errors
// reach neither the log nor the error.
func TestN20_CanariesStayOutOfLogsAndErrors(t *testing.T) {
	t.Parallel()
	planted := http.Header{"Location": {"http://" + canary}, "Set-Cookie": {canary}, "Content-Type": {"text/" + canary}, "X-" + canary: {canary}}
	for name, upstream := range map[string]http.RoundTripper{
		"status":   &script{steps: []step{{status: 500, header: planted, body: canary}}},
		"refused":  &script{steps: []step{{status: 429, header: planted, body: canary}}},
		"redirect": &script{steps: []step{{status: 302, header: planted, body: canary}}},
		"html":     &script{steps: []step{{status: 200, header: planted, body: canary}}},
		"error":    &script{steps: []step{{err: &url.Error{Op: "Post", URL: "http://" + canary, Err: errors.New(canary)}}}},
		"dns":      &script{steps: []step{{err: &net.OpError{Op: "dial", Err: &net.DNSError{Name: canary, Err: canary}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			c := over(t, Config{}, upstream)
			c.deps.Log = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
			c.sign = func(r *http.Request) error { r.Header.Set("Authorization", canary); return nil }
			for _, traits := range []commerce.Traits{readTraits, writeTraits} {
				r := post(canary, canary)
				r.Query = values("access_token", canary)
				r.Header.Set("X-Request-Id", canary)
				res, err := do(t, c, traits, r)
				if err == nil {
					err = DecodeJSON("odoo", traits, res, &struct{}{})
				}
				require.Error(t, err)
				assert.NotContains(t, err.Error(), canary)
				for _, e := range unwrapAll(err) {
					assert.NotContains(t, e.Error(), canary)
				}
			}
			assert.NotContains(t, logged.String(), canary)
		})
	}
	t.Run("signing", func(t *testing.T) {
		t.Parallel()
		c := over(t, Config{}, &script{steps: []step{{status: 200}}})
		c.sign = func(*http.Request) error { return errors.New(canary) }
		_, err := do(t, c, readTraits, get())
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		assert.NotContains(t, err.Error(), canary)
	})
}

func unwrapAll(err error) []error {
	all := []error{err}
	switch e := err.(type) { //nolint:errorlint // walks the whole tree itself
	case interface{ Unwrap() error }:
		all = append(all, unwrapAll(e.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			all = append(all, unwrapAll(inner)...)
		}
	}
	return all
}

func TestOneWarningPerFailedCall(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	c := over(t, Config{}, &script{steps: []step{{err: io.EOF}, {status: 503}, {status: 503}, {status: 404}}})
	c.deps.Log = slog.New(slog.NewJSONHandler(&logged, nil))
	_, err := do(t, c, readTraits, get())
	require.Error(t, err)
	_, err = do(t, c, readTraits, get())
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(logged.String(), "\n"))
	for _, part := range []string{`"level":"WARN"`, `"msg":"upstream call failed"`, `"system":"odoo"`, `"operation":"inventory.availability"`, `"reason":"unavailable"`, `"status":503`, `"attempts":3`} {
		assert.Contains(t, logged.String(), part)
	}
}

func TestCallsAreCounted(t *testing.T) {
	t.Parallel()
	reader := metric.NewManualReader()
	cfg, base, err := Config{BaseURL: "https://upstream.example"}.checked()
	require.NoError(t, err)
	deps := quiet()
	deps.Meter = metric.NewMeterProvider(metric.WithReader(reader))
	upstream := &script{steps: []step{{status: 503}, {status: 200}, {status: 404}, {status: 429, header: http.Header{"Retry-After": {"60"}}}}}
	c, err := newClient("odoo", cfg, nil, deps.withDefaults(), wire{base: base, via: upstream})
	require.NoError(t, err)
	for range 3 {
		_, _ = do(t, c, readTraits, get())
	}
	var got metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.WithoutCancel(t.Context()), &got))
	calls, attempts := map[string]int64{}, map[string]int64{}
	for _, m := range got.ScopeMetrics[0].Metrics {
		sum, ok := m.Data.(metricdata.Sum[int64])
		if !ok {
			assert.Equal(t, "portico.upstream.duration", m.Name)
			continue
		}
		into := calls
		if m.Name == "portico.upstream.attempts" {
			into = attempts
		}
		for _, point := range sum.DataPoints {
			outcome, _ := point.Attributes.Value("outcome")
			into[outcome.AsString()] = point.Value
		}
	}
	assert.Equal(t, map[string]int64{"ok": 1, "refused": 1, "rate-limited": 1}, calls)
	assert.Equal(t, map[string]int64{"ok": 2, "refused": 1, "rate-limited": 1}, attempts)
}

// A rotated key and an answer that cannot be read are failures too, though the call itself came back.
func TestOneWarningForAnAnswerOfNoUse(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		at   step
		want string
	}{
		"wrong key":      {step{status: 401, body: "<html>"}, `"reason":"refused","status":401`},
		"forbidden":      {step{status: 403, body: "<html>"}, `"reason":"refused","status":403`},
		"garbage":        {step{status: 200, body: "\x00{]"}, `"reason":"bad-answer","status":200`},
		"login page":     {step{status: 200, header: http.Header{"Content-Type": {"text/html"}}, body: "<html>"}, `"reason":"bad-answer","status":200`},
		"not there":      {step{status: 404, body: "{}"}, ""},
		"a shopper's no": {step{status: 400, body: "{}"}, ""},
		"fine":           {step{status: 200, body: "{}"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged bytes.Buffer
			c := over(t, Config{}, &script{steps: []step{tc.at}})
			c.deps.Log = slog.New(slog.NewJSONHandler(&logged, nil))
			r := get()
			r.Read = func(res *Response) error {
				if res.Status != http.StatusOK {
					return nil
				}
				return DecodeJSON("odoo", readTraits, res, &struct{}{})
			}
			_, err := do(t, c, readTraits, r)
			assert.Equal(t, tc.at.status == http.StatusOK && tc.want != "", err != nil)
			if tc.want == "" {
				assert.Empty(t, logged.String())
				return
			}
			assert.Equal(t, 1, strings.Count(logged.String(), "upstream call failed"), logged.String())
			assert.Contains(t, logged.String(), tc.want)
		})
	}
}

// A system that is down does not fill the log: its breaker says so once.
func TestRefusalsDoNotFloodTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		c := over(t, Config{MaxConcurrent: 1}, &script{steps: []step{{status: 500}}})
		c.deps.Log = slog.New(slog.NewJSONHandler(&logged, nil))
		for range 100 {
			_, err := do(t, c, readTraits, get())
			require.Error(t, err)
		}
		assert.Equal(t, 20, strings.Count(logged.String(), "upstream call failed"), "those that reached it")
		assert.Equal(t, 1, strings.Count(logged.String(), "circuit breaker changed"))
		assert.Contains(t, logged.String(), `"from":"closed","to":"open"`)
	})
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		hung := over(t, Config{MaxConcurrent: 1}, &script{steps: []step{{takes: time.Hour}}})
		hung.deps.Log = slog.New(slog.NewJSONHandler(&logged, nil))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for range 300 {
			wg.Go(func() { _, _ = hung.Do(ctx, readTraits, get()) })
		}
		wg.Wait()
		assert.Equal(t, 1, strings.Count(logged.String(), `"reason":"bulkhead-full"`))
	})
}
