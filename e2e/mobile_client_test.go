//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
)

// builtMobile runs the binary of the mobile channel over systems until the test ends, and
// answers its address.
func builtMobile(t *testing.T, systems string, environ ...string) string {
	t.Helper()
	addr := free(t, 2)
	cmd := exec.Command(build(t, "./bff-mobile/cmd/bff-mobile"))
	cmd.Env = append(sandbox.Environ(systems), "PORTICO_MODE=development", "LOG_LEVEL=error", "MOBILE_ADDR="+addr[0], "MOBILE_ADMIN_ADDR="+addr[1])
	cmd.Env = append(cmd.Env, environ...)
	var out printed
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		assert.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		assert.NoError(t, cmd.Wait(), out.String())
	})
	await(t, "http://"+addr[1]+"/readyz")
	return "http://" + addr[0]
}

// A client that is generated from the contract and compiled with strict buys something from
// the binary that ships; what it calls is in the log of the test.
func TestTheGeneratedClientBuysInTheApp(t *testing.T) {
	t.Parallel()
	run := func(name string, args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Dir = "openapi"
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	run("npm", "run", "--silent", "build")
	base := builtMobile(t, start(t).Sandbox,
		"MOBILE_IOS_MINIMUM_VERSION=2.0", "MOBILE_IOS_LATEST_VERSION=2.4.0", "MOBILE_IOS_STORE_URL=https://apps.apple.com/app/id1", "MOBILE_FLAGS=newCheckout=true")
	printed := run("node", "build/flow.js", base)
	t.Log("\n" + printed)
	for _, call := range []string{
		"GET     200  /v1/config", "GET     200  /v1/screens/home", "GET     304  /v1/screens/products/", "POST    201  /v1/carts", "idempotent-replayed: true",
		"POST    422  /v1/carts/", "POST    201  /v1/carts/", "GET     200  /v1/orders/", "GET     426  /v1/screens/home  upgrade: ios-app/2.0", "bought ",
		"GET     200  /v1/sync?first=100", "GET     410  /v1/sync?since=", ", kept 295 products",
	} {
		assert.Contains(t, printed, call)
	}
	assert.GreaterOrEqual(t, strings.Count(printed, "\n"), 20, "calls")
}
