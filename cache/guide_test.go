package cache

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const guidePath = "../docs/caching.md"

// policyTable is the guide's table of policies.
func policyTable() string {
	var b strings.Builder
	span := func(d time.Duration) string {
		if d == 0 {
			return "–"
		}
		text := d.String()
		if strings.HasSuffix(text, "m0s") {
			text = strings.TrimSuffix(text, "0s")
		}
		if strings.HasSuffix(text, "h0m") {
			text = strings.TrimSuffix(text, "0m")
		}
		return text
	}
	for _, op := range Operations() {
		p := policies[op]
		var keyed []string
		for i, name := range []string{"channel", "locale", "currency", "country"} {
			if p.Keyed&(1<<i) != 0 {
				keyed = append(keyed, name)
			}
		}
		tags := ""
		if len(p.Tags) > 0 {
			tags = "`" + strings.Join(p.Tags, "` `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %v | %s | %s |\n", op, span(p.Fresh), span(p.StaleWhileRevalidate),
			span(p.StaleIfError), span(p.Negative), p.Scope, strings.Join(keyed, ", "), tags)
	}
	return b.String()
}

func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(guidePath)
	require.NoError(t, err)
	return string(text)
}

func TestTheGuideHasThePoliciesAsTheyAre(t *testing.T) {
	t.Parallel()
	assert.Contains(t, guide(t), policyTable())
}

// The guide names tests that exist, and has a row for each item.
func TestTheGuideNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	text := guide(t)
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	require.NoError(t, filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, match := range declared.FindAllStringSubmatch(string(source), -1) {
			tests[match[1]] = true
		}
		return err
	}))
	named := regexp.MustCompile("`((?:Test|Fuzz|Benchmark)\\w+)`").FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, named)
	for _, name := range named {
		assert.True(t, tests[name[1]], "no such test: %s", name[1])
	}
	for item := 1; item <= 24; item++ {
		assert.Regexp(t, fmt.Sprintf(`(?m)^\| C%d \|`, item), text)
	}
}
