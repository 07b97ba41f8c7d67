package graphhttp

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
