// Package timingtest reads Server-Timing headers in tests.
package timingtest

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Entry is one entry of a Server-Timing header.
type Entry struct {
	Name, Desc string
	Dur        float64 // milliseconds; 0 where there is none
}

// A token and a quoted string as RFC 9110 has them; neither holds what a browser would stumble on.
var pattern = regexp.MustCompile(`^([!#$%&'*+.^_|~0-9A-Za-z-]+)(?:;dur=([0-9]+(?:\.[0-9]+)?))?(?:;desc=(?:"([^"\\]*)"|([!#$%&'*+.^_|~0-9A-Za-z-]+)))?$`)

// Parse reads a header as the W3C's grammar says; another fails the test.
func Parse(t testing.TB, header string) []Entry {
	t.Helper()
	var list []Entry
	for entry := range strings.SplitSeq(header, ", ") {
		m := pattern.FindStringSubmatch(entry)
		require.NotNil(t, m, "%q of %q", entry, header)
		dur := 0.0
		if m[2] != "" {
			var err error
			dur, err = strconv.ParseFloat(m[2], 64)
			require.NoError(t, err)
		}
		list = append(list, Entry{m[1], m[3] + m[4], dur})
	}
	return list
}
