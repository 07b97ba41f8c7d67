//go:build e2e

package e2e

import (
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
)

// webProcess is bff-web as a process of its own, in development and with queries open
// to everyone, until the test ends. systems is the sandbox's base URL; further settings
// win. It answers the process and its base URL.
func webProcess(t *testing.T, systems string, environ ...string) (*exec.Cmd, string) {
	t.Helper()
	addr := free(t, 2)
	cmd := exec.Command(build(t, "./bff-web/cmd/bff-web"))
	cmd.Env = append(sandbox.Environ(systems), "PORTICO_MODE=development", "WEB_OPEN_QUERIES=true", "LOG_LEVEL=error",
		"WEB_ADDR="+addr[0], "WEB_ADMIN_ADDR="+addr[1])
	cmd.Env = append(cmd.Env, environ...)
	var out printed
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		assert.NoError(t, cmd.Wait(), out.String())
	})
	await(t, "http://"+addr[1]+"/readyz")
	return cmd, "http://" + addr[0]
}
