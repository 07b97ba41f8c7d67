//go:build e2e

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every measurement runs, for a fraction of its time, and writes its rows. What the
// figures are is not looked at.
func TestEveryMeasurementRuns(t *testing.T) {
	bin, docs := t.TempDir(), filepath.Join(t.TempDir(), "benchmarks.md")
	require.NoError(t, os.WriteFile(docs, []byte(sectionBegins+sectionEnds), 0o600))
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin+"/", "./bff-web/cmd/bff-web", "./bff-mobile/cmd/bff-mobile", "./e2e/bench")
	build.Dir = "../.."
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	run := exec.CommandContext(t.Context(), filepath.Join(bin, "bench"), "-bin", bin, "-docs", docs, "-scale", "0.1")
	out, err = run.CombinedOutput()
	require.NoError(t, err, string(out))
	written, err := os.ReadFile(docs)
	require.NoError(t, err)
	for _, id := range []string{"B1", "B2", "B3", "B4", "B5", "B6", "B7"} {
		for _, channel := range []string{"web", "mobile"} {
			assert.Contains(t, string(written), "| "+id+" | "+channel) // and what of it
		}
	}
	assert.Contains(t, string(written), "| M9 | mobile")
	assert.Equal(t, strings.Count(string(written), sectionEnds), 1)
}
