package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// report is what was measured, ready to be printed.
type report struct {
	took   time.Duration
	asleep error // why cores slept while times were measured; nil: they did not
	ratios []ratio
	rows   []row // of what is no ratio
}

// ratio is one work's result.
type ratio struct {
	work       work
	value      float64 // the baseline's processor time a request by ours
	low, high  float64 // of the rounds
	ours       armFigures
	plain      armFigures
	must, goal float64
}

// armFigures are medians over the rounds.
type armFigures struct {
	cpu, p50, p99 time.Duration
	rps, calls    float64
}

// row is any other result.
type row struct {
	id, channel, what, value, must string
	holds                          verdict
}

// verdict says how a figure stands to what was demanded of it.
type verdict int

const (
	noVerdict verdict = iota
	missed
	enough
	reached // the goal
)

func (v verdict) String() string { return [...]string{"–", "**no**", "yes", "goal"}[v] }

// atLeast judges a figure that should be high.
func atLeast(value, must, goal float64) verdict {
	switch {
	case must == 0 && goal == 0:
		return noVerdict
	case value >= goal:
		return reached
	case value >= must:
		return enough
	}
	return missed
}

// atMost judges a figure that should be low.
func atMost(value, must, goal float64) verdict { return atLeast(-value, -must, -goal) }

func median[T cmp.Ordered](list []T) T {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// ratio adds a work's rounds. The ratio is the median of those of two rounds side by side, low and high are its quartiles.
func (r *report) ratio(w work, ours, plain []arm) {
	mine, theirs := figures(ours), figures(plain)
	got := ratio{work: w, ours: mine, plain: theirs, must: w.must, goal: w.goal}
	var each []float64
	for i := range ours {
		each = append(each, quotient(plain[i].cpu, ours[i].cpu))
	}
	slices.Sort(each)
	got.low, got.value, got.high = each[len(each)/4], median(each), each[len(each)-1-len(each)/4]
	r.ratios = append(r.ratios, got)
	fmt.Fprintf(os.Stderr, "%s %s, %s: %.2f (%.2f–%.2f)\n", w.id, w.channel.name(), w.name, got.value, got.low, got.high)
}

// demand is what the ratio should be, as text.
func (x ratio) demand() string {
	if x.must == 0 && x.goal == 0 {
		return noVerdict.String()
	}
	return fmt.Sprintf("%g / %g", x.must, x.goal)
}

func quotient(a, b time.Duration) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func figures(arms []arm) armFigures {
	var cpu, p50, p99 []time.Duration
	var rps, calls []float64
	for _, a := range arms {
		cpu, p50, p99, rps = append(cpu, a.cpu), append(p50, a.quantile(0.5)), append(p99, a.quantile(0.99)), append(rps, a.rps())
		calls = append(calls, a.calls)
	}
	return armFigures{median(cpu), median(p50), median(p99), median(rps), median(calls)}
}

func micro(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d)/1e3) }

func milli(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/1e6) }

// text is the report as markdown.
func (r *report) text() string {
	var b strings.Builder
	if len(r.ratios) > 0 {
		b.WriteString("| | channel | work | ratio | quartiles | must / goal | holds | CPU µs a request: ours, baseline | calls | rps | p50 ms | p99 ms |\n")
		b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	}
	for _, x := range r.ratios {
		fmt.Fprintf(&b, "| %s | %s | %s | %.2f | %.2f–%.2f | %s | %s | %s, %s | %.2f, %.2f | %.0f, %.0f | %s, %s | %s, %s |\n", x.work.id, x.work.channel.name(), x.work.name,
			x.value, x.low, x.high, x.demand(), atLeast(x.value, x.must, x.goal), micro(x.ours.cpu), micro(x.plain.cpu),
			x.ours.calls, x.plain.calls, x.ours.rps, x.plain.rps, milli(x.ours.p50), milli(x.plain.p50), milli(x.ours.p99), milli(x.plain.p99))
	}
	if len(r.rows) > 0 {
		b.WriteString("\n| | channel | what | figure | must / goal | holds |\n| --- | --- | --- | --- | --- | --- |\n")
	}
	for _, x := range r.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", x.id, x.channel, x.what, x.value, x.must, x.holds)
	}
	return b.String()
}

// slept tells of times with those in them that cores took to wake.
func (r *report) slept() string {
	if r.asleep == nil {
		return ""
	}
	return fmt.Sprintf(" Cores slept when there was nothing to do, which is in all times: %v.", r.asleep)
}

// The section of the file that a run writes is between these.
const (
	sectionBegins = "<!-- make bench writes from here -->"
	sectionEnds   = "<!-- to here -->"
)

// publish prints the report, and writes it to the section of a file, if one is named.
func (r *report) publish(to io.Writer, file string) error {
	text := fmt.Sprintf("%s, %s in all.%s\n\n%s", time.Now().UTC().Format(time.DateOnly), r.took.Round(time.Second), r.slept(), r.text())
	if _, err := io.WriteString(to, text); err != nil || file == "" {
		return err
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	changed, err := replaced(string(raw), text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(changed), 0o644) //nolint:gosec // a document that everybody reads
}

// replaced is a document with another text between the section's marks.
func replaced(document, text string) (string, error) {
	before, rest, begins := strings.Cut(document, sectionBegins)
	_, after, ends := strings.Cut(rest, sectionEnds)
	if !begins || !ends {
		return "", fmt.Errorf("has no section between %q and %q", sectionBegins, sectionEnds)
	}
	return before + sectionBegins + "\n" + strings.TrimSpace(text) + "\n" + sectionEnds + after, nil
}

// add adds a row, and says so.
func (r *report) add(x row) {
	r.rows = append(r.rows, x)
	fmt.Fprintf(os.Stderr, "%s %s, %s: %s\n", x.id, x.channel, x.what, x.value)
}
