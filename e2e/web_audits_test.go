//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// manyAudits is how many audits of GraphQL over HTTP there are at the version of the lock file.
const manyAudits = 61

// The reference implementation audits the process that ships, as it audits itself.
func TestGraphQLOverHTTPAudits(t *testing.T) {
	t.Parallel()
	_, base := webProcess(t, "http://127.0.0.1:1")
	out, err := audits(t, "audit.mjs", base+"/graphql")
	require.NoError(t, err, string(out))
	ok := 0
	for line := range bytes.Lines(out) {
		var audit struct{ ID, Name, Status, Reason string }
		require.NoError(t, json.Unmarshal(line, &audit), string(line))
		t.Logf("%-6s %s %s %s", audit.Status, audit.ID, audit.Name, audit.Reason)
		if assert.Equal(t, "ok", audit.Status, "%s %s: %s", audit.ID, audit.Name, audit.Reason) {
			ok++
		}
	}
	t.Logf("%d of %d audits are ok", ok, manyAudits)
	assert.Equal(t, manyAudits, ok)
}

// audits runs a script of e2e/audits and answers what it printed.
func audits(t *testing.T, script string, args ...string) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{script}, args...)...)
	cmd.Dir = "audits"
	return cmd.CombinedOutput()
}
