package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestARatioIsTheMedianOfRoundsSideBySide(t *testing.T) {
	t.Parallel()
	arms := func(cpu ...time.Duration) []arm {
		var list []arm
		for _, c := range cpu {
			list = append(list, arm{load: &load{answered: 10, took: time.Second, times: times{spent: []time.Duration{c, 2 * c, 3 * c}}}, cpu: c, calls: 5})
		}
		return list
	}
	w := work{id: "B3", name: "page", channel: &channel{target: newTarget("web", "")}, must: 1, goal: 2}
	var r report
	r.ratio(w, arms(100, 400, 200, 200, 100), arms(300, 300, 600, 200, 150)) // 3, 0.75, 3, 1, 1.5
	require.Len(t, r.ratios, 1)
	got := r.ratios[0]
	assert.InDelta(t, 1.5, got.value, 1e-9)
	assert.InDelta(t, 1.0, got.low, 1e-9)
	assert.InDelta(t, 3.0, got.high, 1e-9)
	assert.EqualValues(t, 400, got.ours.p50)
	assert.EqualValues(t, 600, got.ours.p99)
	assert.InDelta(t, 10, got.ours.rps, 1e-9)
	assert.Contains(t, r.text(), "| B3 | web | page | 1.50 | 1.00–3.00 | 1 / 2 | yes |")
}

func TestFiguresAreJudgedByMustAndGoal(t *testing.T) {
	t.Parallel()
	assert.Equal(t, missed, atLeast(0.79, 0.8, 1.8))
	assert.Equal(t, enough, atLeast(0.8, 0.8, 1.8))
	assert.Equal(t, reached, atLeast(1.8, 0.8, 1.8))
	assert.Equal(t, missed, atMost(101, 100, 50))
	assert.Equal(t, enough, atMost(100, 100, 50))
	assert.Equal(t, reached, atMost(50, 100, 50))
	assert.Equal(t, noVerdict, atLeast(1, 0, 0))
}

func TestOnlyTheSectionOfADocumentIsWritten(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "benchmarks.md")
	before := "# Benchmarks\n\nby hand\n\n" + sectionBegins + "\nold\n" + sectionEnds + "\n\n## More\n"
	require.NoError(t, os.WriteFile(file, []byte(before), 0o600))
	r := report{took: time.Minute, rows: []row{{id: "B7", channel: "web", what: "start", value: "20 ms", must: "100", holds: reached}}}
	var printed strings.Builder
	for range 2 { // again, over what it wrote itself
		printed.Reset()
		require.NoError(t, r.publish(&printed, file))
	}
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	head, rest, _ := strings.Cut(string(after), sectionBegins)
	section, tail, _ := strings.Cut(rest, sectionEnds)
	assert.Equal(t, "# Benchmarks\n\nby hand\n\n", head)
	assert.Equal(t, "\n\n## More\n", tail)
	assert.Equal(t, strings.TrimSpace(printed.String()), strings.TrimSpace(section))
	assert.Contains(t, section, "| B7 | web | start | 20 ms | 100 | goal |")
	assert.NotContains(t, section, "\nold\n")
}

func TestADocumentWithoutASectionIsLeftAlone(t *testing.T) {
	t.Parallel()
	_, err := replaced("nothing here", "text")
	assert.Error(t, err)
	_, err = replaced(sectionEnds+sectionBegins, "text")
	assert.Error(t, err)
}

func TestQuantilesAndRates(t *testing.T) {
	t.Parallel()
	l := load{answered: 50, took: 2 * time.Second}
	assert.Zero(t, l.quantile(0.99))
	for i := range 100 {
		l.spent = append(l.spent, time.Duration(i+1))
	}
	assert.EqualValues(t, 51, l.quantile(0.5))
	assert.EqualValues(t, 100, l.quantile(0.99))
	assert.EqualValues(t, 100, l.quantile(1))
	assert.InDelta(t, 25, l.rps(), 1e-9)
}

func TestOverloadIsJudgedByWhatWasServedAndRefused(t *testing.T) {
	t.Parallel()
	took := func(list ...time.Duration) []time.Duration { return list }
	normal := &load{answered: 200, took: time.Second, times: times{spent: took(20 * time.Millisecond)}}
	beyond := &load{
		answered: 150, failed: 1, took: time.Second, times: times{spent: took(41 * time.Millisecond), refusals: took(4 * time.Millisecond)},
		settled: times{spent: took(31 * time.Millisecond), refusals: took(3 * time.Millisecond)},
	}
	then := &load{answered: 94, took: time.Second, times: times{spent: took(time.Millisecond), refusals: took(1, 2, 3, 4, 5, 6)}}
	var r report
	r.overload(normal, beyond, then, 60, 90)
	var holds []verdict
	for _, x := range r.rows {
		assert.Equal(t, "M9", x.id)
		holds = append(holds, x.holds)
	}
	assert.Equal(t, []verdict{noVerdict, missed, missed, noVerdict, reached, noVerdict, enough, missed}, holds)
	assert.Contains(t, r.text(), "150 of 200 at capacity (75 %), 1 refused")
	assert.Contains(t, r.text(), "94.0 % served")
	assert.Contains(t, r.text(), "p99 of what is served, after the first 250 ms | 31.00 ms, p50 31.00")
	assert.Contains(t, r.text(), "p99 of refusals, after the first 250 ms | 3.00 ms, p50 3.00")
}
