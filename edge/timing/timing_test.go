package timing

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/schema/commerce"
)

// timingEntry is one entry of Server-Timing.
type timingEntry struct {
	name, desc string
	dur        float64
}

// A token and a quoted string as RFC 9110 has them; neither holds what a browser would stumble on.
var metricPattern = regexp.MustCompile(`^([!#$%&'*+.^_|~0-9A-Za-z-]+)(?:;dur=([0-9]+(?:\.[0-9]+)?))?(?:;desc=(?:"([^"\\]*)"|([!#$%&'*+.^_|~0-9A-Za-z-]+)))?$`)

// parsed reads a header as the W3C's grammar says.
func parsed(t *testing.T, header string) []timingEntry {
	t.Helper()
	var list []timingEntry
	for entry := range strings.SplitSeq(header, ", ") {
		m := metricPattern.FindStringSubmatch(entry)
		require.NotNil(t, m, "%q of %q", entry, header)
		dur := 0.0
		if m[2] != "" {
			var err error
			dur, err = strconv.ParseFloat(m[2], 64)
			require.NoError(t, err)
		}
		list = append(list, timingEntry{m[1], m[3] + m[4], dur})
	}
	return list
}

func TestTimeIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	zero := time.Unix(1_700_000_000, 0)
	at := func(ms int) time.Time { return zero.Add(time.Duration(ms) * time.Millisecond) }
	for name, tc := range map[string]struct {
		stretches [][2]int
		want      int
	}{
		"none":                            {nil, 0},
		"one":                             {[][2]int{{10, 30}}, 20},
		"apart":                           {[][2]int{{10, 20}, {30, 45}}, 25},
		"apart, the later first":          {[][2]int{{30, 45}, {10, 20}}, 25},
		"the same twice":                  {[][2]int{{10, 30}, {10, 30}}, 20},
		"overlapping":                     {[][2]int{{10, 30}, {20, 50}}, 40},
		"one within another":              {[][2]int{{10, 60}, {20, 30}, {55, 58}}, 50},
		"touching":                        {[][2]int{{10, 20}, {20, 30}}, 20},
		"begun before the request":        {[][2]int{{-50, 10}}, 10},
		"over before the request":         {[][2]int{{-50, -10}, {0, 5}}, 5},
		"under way when it was answered":  {[][2]int{{90, 500}}, 10},
		"all of it and more":              {[][2]int{{-10, 500}, {20, 30}}, 100},
		"begun after it was answered":     {[][2]int{{120, 130}}, 0},
		"nothing":                         {[][2]int{{10, 10}}, 0},
		"many in a row, with a gap of 10": {[][2]int{{0, 10}, {5, 20}, {30, 40}, {35, 70}, {60, 100}}, 90},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &Elapsed{}
			for _, part := range tc.stretches {
				s.stretches = append(s.stretches, stretch{"odoo", at(part[0]), at(part[1])}, stretch{"other", at(0), at(100)})
			}
			got := s.sorted().Union(at(0), at(100), "odoo")
			assert.Equal(t, time.Duration(tc.want)*time.Millisecond, got)
		})
	}
}

func TestServerTimingSaysWhoWasWaitedFor(t *testing.T) {
	t.Parallel()
	zero := time.Unix(1_700_000_000, 0)
	at := func(ms float64) time.Time { return zero.Add(time.Duration(ms * float64(time.Millisecond))) }
	s := &Elapsed{}
	for _, part := range []stretch{
		{"pimcore", at(1), at(21)}, {"odoo", at(1), at(41)}, {"odoo", at(11), at(51.257)}, {"a b;\"c\"", at(60), at(61)}, {"total", at(60), at(60.5)},
	} {
		s.stretches = append(s.stretches, part)
		s.count(part.system)
	}
	got := s.sorted().Text(at(0), at(70), cache.Miss)
	assert.Equal(t, []timingEntry{
		{"a-b--c-", "1 call", 1},
		{"odoo", "2 calls", 50.26},
		{"pimcore", "1 call", 20},
		{"system-total", "1 call", 0.5},
		{"own", "", 18.74},
		{"total", "", 70},
		{"cache", "miss", 0},
	}, parsed(t, got), got)

	var none *Elapsed
	assert.Equal(t, []timingEntry{{"own", "", 70}, {"total", "", 70}}, parsed(t, none.Text(at(0), at(70), "")))
	assert.Equal(t, []timingEntry{{"cache", "hit", 0}}, parsed(t, Hit))
	assert.Equal(t, "own;dur=0, total;dur=0, cache;desc=bypass", none.Text(at(1), at(0), cache.Bypass), "a clock that steps back costs nothing")
}

// What was waited for is not what was called: each caller of a shared load waits from
// when it asked until it was answered, or went without.
func TestSharedLoadsCountFromWhenTheyWereWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, trail := commerce.WithTrail(t.Context())
		_, reference := commerce.WithTrail(t.Context())
		zero := time.Now()
		first := trail.Record("odoo", commerce.OpPrices, "a")
		reference.Record("odoo", commerce.OpPrices, "b")
		trail.Follow(reference)
		time.Sleep(30 * time.Millisecond)
		first.End("ok", 0)
		time.Sleep(30 * time.Millisecond)
		wait := func(asked, took int) commerce.Source {
			ms := time.Millisecond
			return commerce.Source{Wait: &commerce.Wait{Asked: zero.Add(time.Duration(asked) * ms), Took: time.Duration(took) * ms, Trail: trail}}
		}
		other := wait(0, 50)
		other.Wait.Trail = reference
		for name, tc := range map[string]struct {
			sources []commerce.Source
			want    string
		}{
			"all of it":              {[]commerce.Source{wait(0, 60)}, `odoo;dur=60;desc="2 calls"`},
			"joined halfway":         {[]commerce.Source{wait(10, 30)}, `odoo;dur=30;desc="2 calls"`},
			"joined after one":       {[]commerce.Source{wait(40, 10)}, `odoo;dur=10;desc="1 call"`},
			"given up before":        {[]commerce.Source{wait(0, 20), wait(5, 20)}, `odoo;dur=25;desc="2 calls"`},
			"found on both":          {[]commerce.Source{wait(0, 20), other}, `odoo;dur=50;desc="2 calls"`},
			"not asked for":          {[]commerce.Source{{Wait: &commerce.Wait{}}, {}}, ""},
			"asked for after both":   {[]commerce.Source{wait(61, 5)}, `odoo;dur=5;desc="1 call"`},
			"keys, one of them late": {[]commerce.Source{wait(0, 60), wait(0, 10), wait(0, 30)}, `odoo;dur=60;desc="2 calls"`},
		} {
			lists := [][]commerce.Source{tc.sources}
			got := spend(lists, windows(lists)).Text(zero, zero.Add(100*time.Millisecond), "")
			assert.True(t, strings.HasPrefix(got, tc.want), "%s: %s", name, got)
			assert.Equal(t, tc.want == "", strings.HasPrefix(got, "own"), name)
		}
	})
}
