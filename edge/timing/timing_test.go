package timing

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/timing/timingtest"
	"github.com/portico-bff/portico/schema/commerce"
)

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
	assert.Equal(t, []timingtest.Entry{
		{Name: "a-b--c-", Desc: "1 call", Dur: 1},
		{Name: "odoo", Desc: "2 calls", Dur: 50.26},
		{Name: "pimcore", Desc: "1 call", Dur: 20},
		{Name: "system-total", Desc: "1 call", Dur: 0.5},
		{Name: "own", Dur: 18.74},
		{Name: "total", Dur: 70},
		{Name: "cache", Desc: "miss"},
	}, timingtest.Parse(t, got), got)

	var none *Elapsed
	assert.Equal(t, []timingtest.Entry{{Name: "own", Dur: 70}, {Name: "total", Dur: 70}}, timingtest.Parse(t, none.Text(at(0), at(70), "")))
	assert.Equal(t, []timingtest.Entry{{Name: "cache", Desc: "hit"}}, timingtest.Parse(t, Hit))
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
