package graphhttp

import (
	"bytes"
	"encoding/base64"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	traceSecret = commerce.Secret("a-secret-of-thirty-two-bytes-....")
	tracedText  = `query Product { product(sku: "A") { name } }`
)

func asking(values ...string) http.Header { return http.Header{"X-Trace": values} }

func TestWhoIsShownATrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		sign := func(ago time.Duration) string { return SignTrace(traceSecret, tracedText, now.Add(-ago)) }
		good := sign(0)
		stamp, sum, _ := strings.Cut(good, ".")
		raw, err := base64.RawURLEncoding.DecodeString(sum)
		require.NoError(t, err)
		raw[0] ^= 1
		forged := stamp + "." + base64.RawURLEncoding.EncodeToString(raw)
		closed := NewTracing(false, traceSecret, TracingDeps{})
		open := NewTracing(true, "", TracingDeps{})
		both := NewTracing(true, traceSecret, TracingDeps{})
		for name, tc := range map[string]struct {
			tracing *Tracing
			header  http.Header
			text    string
			want    bool
		}{
			"signed now":                     {closed, asking(good), tracedText, true},
			"signed a minute ago":            {closed, asking(sign(time.Minute)), tracedText, true},
			"the same a second time":         {closed, asking(good), tracedText, true}, // for as long as it is good: the answer shows what its reader may see
			"expired":                        {closed, asking(sign(61 * time.Second)), tracedText, false},
			"by a clock that is ahead":       {closed, asking(sign(-5 * time.Second)), tracedText, true},
			"from the future":                {closed, asking(sign(-6 * time.Second)), tracedText, false},
			"far from the future":            {closed, asking(sign(-1000 * time.Hour)), tracedText, false},
			"another key":                    {closed, asking(SignTrace(traceSecret+"x", tracedText, now)), tracedText, false},
			"no key":                         {closed, asking(SignTrace("", tracedText, now)), tracedText, false},
			"another document":               {closed, asking(good), tracedText + " ", false},
			"a bit of the signature changed": {closed, asking(forged), tracedText, false},
			"another time":                   {closed, asking(strconv.FormatInt(now.Unix()-1, 10) + "." + sum), tracedText, false},
			"a time written otherwise":       {closed, asking("+" + good), tracedText, false},
			"half a signature":               {closed, asking(good[:len(good)-10]), tracedText, false},
			"no signature":                   {closed, asking(stamp + "."), tracedText, false},
			"a time alone":                   {closed, asking(stamp), tracedText, false},
			"padding":                        {closed, asking(good + "="), tracedText, false},
			"no header":                      {closed, http.Header{}, tracedText, false},
			"an empty header":                {closed, asking(""), tracedText, false},
			"two headers":                    {closed, asking(good, good), tracedText, false},
			"too long":                       {closed, asking(strings.Repeat("1", 4096)), tracedText, false},
			"1, in production":               {closed, asking("1"), tracedText, false},
			"1, in development":              {open, asking("1"), tracedText, true},
			"2, in development":              {open, asking("2"), tracedText, false},
			"signed, where none is":          {open, asking(good), tracedText, false},
			"signed with nothing":            {open, asking(SignTrace("", tracedText, now)), tracedText, false},
			"signed, in development":         {both, asking(good), tracedText, true},
			"1, with a secret":               {both, asking("1"), tracedText, true},
			"off":                            {NewTracing(false, "", TracingDeps{}), asking("1"), tracedText, false},
			"off, signed with nothing":       {nil, asking(SignTrace("", tracedText, now)), tracedText, false},
		} {
			assert.Equal(t, tc.want, tc.tracing.grants(t.Context(), tc.header, tc.text), name)
		}
	})
}

func TestRefusedTracesAreCountedAndNamedWithoutTheirValue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		reader := sdkmetric.NewManualReader()
		tracing := NewTracing(false, traceSecret, TracingDeps{
			Log: slog.New(slog.NewTextHandler(&log, nil)), Meter: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)),
		})
		expired := SignTrace(traceSecret, tracedText, time.Now().Add(-time.Hour))
		for range 10 {
			assert.False(t, tracing.grants(t.Context(), asking(expired), tracedText))
		}
		assert.False(t, tracing.grants(t.Context(), asking("canary-value"), tracedText))
		assert.True(t, tracing.grants(t.Context(), asking(SignTrace(traceSecret, tracedText, time.Now())), tracedText))
		assert.Equal(t, 1, strings.Count(log.String(), "a trace was refused"), "one line a second: %s", log.String())
		assert.Contains(t, log.String(), "expired")
		for _, never := range []string{"canary", expired, strings.Split(expired, ".")[1], string(traceSecret)} {
			assert.NotContains(t, log.String(), never)
		}
		time.Sleep(time.Second)
		tracing.grants(t.Context(), asking("canary-value"), tracedText)
		assert.Equal(t, 2, strings.Count(log.String(), "a trace was refused"))

		var got metricdata.ResourceMetrics
		require.NoError(t, reader.Collect(t.Context(), &got))
		sum, ok := got.ScopeMetrics[0].Metrics[0].Data.(metricdata.Sum[int64])
		require.True(t, ok)
		counts := map[string]int64{}
		for _, point := range sum.DataPoints {
			result, _ := point.Attributes.Value("result")
			counts[result.AsString()] = point.Value
		}
		assert.Equal(t, map[string]int64{"granted": 1, "expired": 10, "malformed": 2}, counts)
	})
}

// The guide has this signature made with openssl: what is signed never changes.
func TestWhatIsSignedIsAsTheGuideHasIt(t *testing.T) {
	t.Parallel()
	got := SignTrace(traceSecret, `{product(sku:"HL-U509-R"){name}}`, time.Unix(1_700_000_000, 0))
	assert.Equal(t, "1700000000.SWPJeOX6ODN-2bUYhPd8GJwriLCMYkjHtQTJplXYvj8", got)
}
