package transport

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// defaults is the table of every default, from the constants that make it so.
func defaults() [][2]string {
	return [][2]string{
		{"deadline", fmt.Sprintf("%v (TIMEOUT; an operation may declare its own), and always %v less than the caller has left", defaultTimeout, deadlineMargin)},
		{"attempts", fmt.Sprintf("%d at most (MAX_ATTEMPTS), Reads only; again on connect error, reset before the answer, 429, 502, 503, 504", maxAttempts)},
		{"backoff", fmt.Sprintf("full jitter: uniform on [0, min(%v, %v × 2ⁿ)]", backoffCap, backoffBase)},
		{"Retry-After", fmt.Sprintf("waited for within [backoff, %v]; where it is more than the call has left: given up at once", maxAskedWait)},
		{"retry budget", fmt.Sprintf("per system; %v tokens, −1 a failed attempt, +%v a good one; nothing is repeated at %v or below", budgetTokens, budgetRefill, budgetFloor)},
		{"hedge", fmt.Sprintf("Reads; after the live p%v of %d attempts or more, %v × their median and %v at least; %v earned a call, %v kept (NO_HEDGE)", 100*hedgeQuantile, hedgeSamples, hedgeBeyond, hedgeLeast, hedgeShare, hedgeBurst)},
		{"circuit breaker", fmt.Sprintf("per operation, or each of its requests; opens at %d bad attempts in %v that are half of all, or after %v of nothing but bad ones, %d or more; a probe every %v, and a good one closes",
			breakerLeast, breakerSlots*breakerSlot, breakerPatience, breakerStreak, probeEvery)},
		{"bulkhead", fmt.Sprintf("per system; the limit starts at %d and adapts between %d and %d (MAX_CONCURRENT); %d wait, %v at most, Writes first",
			firstLimit, leastLimit, defaultConcurrent, maxQueued, maxQueueWait)},
		{"adaptive limit", fmt.Sprintf("an attempt is slow beyond %v × its operation's pace + %v; decided every %v by %d votes or more", slowFactor, slowSlack, votingPeriod, leastVotes)},
		{"attempt timeout", fmt.Sprintf("%v, headers and body (ATTEMPT_TIMEOUT); a Write's is the deadline, and so is a Read's that somebody patient waits for; none begins with less left than the median, %v at least and %v at most", defaultAttemptTimeout, leastAttempt, defaultAttemptTimeout/2)},
		{"answer", fmt.Sprintf("%d MiB once decoded (MAX_BODY_BYTES; an operation may declare its own), headers %d KiB, JSON depth %d, redirects not followed", defaultMaxBody>>20, maxHeaderBytes>>10, maxDepth)},
		{"connections", fmt.Sprintf("%d idle per host, as many as MAX_CONCURRENT in all, idle %v, dial %v, TLS 1.2 or newer within %v", maxIdlePerHost, idleTimeout, dialTimeout, tlsTimeout)},
		{"addresses", "loopback, private, link-local and other special ranges refused at dial time (ALLOW_PRIVATE)"},
		{"batches", fmt.Sprintf("pieces of %d keys, or the operation's batch size; %d at a time", commerce.MaxBatch, piecesAtOnce)},
	}
}

// The table of defaults stands in the package doc and in the guide, as the
// constants have it.
func TestDefaultsAreDocumentedAsTheyAre(t *testing.T) {
	t.Parallel()
	for file, line := range map[string]string{"doc.go": "//\t%-16s  %s\n", "../../docs/resilience.md": "| %s | %s |\n"} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var table strings.Builder
		for _, row := range defaults() {
			fmt.Fprintf(&table, line, row[0], row[1])
		}
		assert.Contains(t, string(text), table.String(), file)
	}
	cfg, _, err := Config{BaseURL: "https://upstream.example"}.checked()
	require.NoError(t, err)
	assert.Equal(t, Config{
		BaseURL: "https://upstream.example", AttemptTimeout: defaultAttemptTimeout, Timeout: defaultTimeout,
		MaxAttempts: maxAttempts, MaxBodyBytes: defaultMaxBody, MaxConcurrent: defaultConcurrent,
	}, cfg)
}

// The guide names tests that exist, and some for each item.
func TestTheGuideNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/resilience.md")
	require.NoError(t, err)
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	require.NoError(t, filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range declared.FindAllStringSubmatch(string(text), -1) {
			tests[match[1]] = true
		}
		return err
	}))
	for _, name := range regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(string(guide), -1) {
		assert.True(t, tests[name[1]], "no such test: %s", name[1])
	}
	for item := 1; item <= 22; item++ {
		assert.Regexp(t, fmt.Sprintf("(?m)^\\| N%d \\| `TestN%[1]d_", item), string(guide))
	}
}
