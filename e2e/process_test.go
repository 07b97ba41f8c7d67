//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox"
)

// builds are the commands of the workspace that tests run, by package.
var builds sync.Map

// build compiles a command of the workspace, once for all tests.
func build(t *testing.T, pkg string) string {
	t.Helper()
	once, _ := builds.LoadOrStore(pkg, sync.OnceValues(func() (string, error) { return compile(pkg) }))
	bin, err := once.(func() (string, error))()
	require.NoError(t, err)
	return bin
}

func compile(pkg string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	bin := filepath.Join(binaries, filepath.Base(pkg))
	cmd := exec.CommandContext(ctx, "go", "build", "-o", bin, pkg)
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	return bin, nil
}

// free answers n addresses that were free a moment ago.
func free(t *testing.T, n int) []string {
	t.Helper()
	list := make([]string, n)
	for i := range list {
		list[i] = "127.0.0.1:" + freePort(t)
	}
	return list
}

func TestTheDemoRunsAndStopsCleanly(t *testing.T) {
	t.Parallel()
	bin := build(t, "./demo")
	addr := free(t, 5)
	cmd := exec.CommandContext(t.Context(), bin)
	cmd.Env = []string{
		"SANDBOX_ADDR=" + addr[0], "WEB_ADDR=" + addr[1], "WEB_ADMIN_ADDR=" + addr[2],
		"MOBILE_ADDR=" + addr[3], "MOBILE_ADMIN_ADDR=" + addr[4], "LOG_LEVEL=error",
	}
	var out printed
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	await(t, "http://"+addr[2]+"/readyz")
	await(t, "http://"+addr[4]+"/readyz")
	require.Eventually(t, func() bool { return strings.Contains(out.String(), "Ctrl-C") }, time.Minute, 10*time.Millisecond)
	for _, url := range []string{"http://" + addr[1] + "/graphql", "http://" + addr[3] + "/docs", "http://" + addr[3] + "/openapi.yaml", "http://" + addr[2] + "/metrics"} {
		r := send(t, http.MethodGet, url, nil, "Accept", "text/html,*/*")
		assert.Equal(t, http.StatusOK, r.Status, "%s: %.200s", url, r.Raw)
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait(), out.String())
	greeting := out.String()
	assert.GreaterOrEqual(t, strings.Count(greeting, "curl -s http://"+addr[1]), 3, "three requests to try on the web: %s", greeting)
	assert.GreaterOrEqual(t, strings.Count(greeting, "http://"+addr[3]+"/v1"), 3, "three requests to try on mobile: %s", greeting)
}

// printed is what a process has printed so far.
type printed struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.String()
}

func await(t *testing.T, url string) {
	t.Helper()
	require.Eventually(t, func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.NoError(t, err)
		res, err := client.Do(req)
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	}, time.Minute, 10*time.Millisecond, url)
}

// Both binaries tell everything that is wrong with their settings and never listen.
func TestBadSettingsAreAllReportedBeforeListening(t *testing.T) {
	t.Parallel()
	for name, pkg := range map[string]string{"WEB": "./bff-web/cmd/bff-web", "MOBILE": "./bff-mobile/cmd/bff-mobile"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := build(t, pkg)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, bin)
			cmd.Env = append(sandbox.Environ("http://127.0.0.1:1"), "PORTICO_MODE=sandcastle", "PIM_KIND=akeneo",
				"CHECKOUT_CONSUMER_SECRET=", "ERP_TIMEOUT=soon", "REQUEST_TIMEOUT=-1s", "SEARCH_API_KEY=topsecret", "SEARCH_BASE_URL=ftp://x")
			out, err := cmd.CombinedOutput()
			exit, ok := err.(*exec.ExitError) //nolint:errorlint // Output wraps nothing
			require.True(t, ok, "%v: %s", err, out)
			assert.Equal(t, 1, exit.ExitCode())
			for _, variable := range []string{"PORTICO_MODE", "PIM_KIND", "CHECKOUT_CONSUMER_SECRET", "ERP_TIMEOUT", "REQUEST_TIMEOUT", "SEARCH_BASE_URL"} {
				assert.Contains(t, string(out), variable)
			}
			assert.Contains(t, string(out), "pimcore", "the kinds there are")
			assert.NotContains(t, string(out), "topsecret")
		})
	}
}

// A request that is being answered when the process is told to stop is answered.
func TestM11_StoppingDropsNothing(t *testing.T) {
	t.Parallel()
	s := start(t, patient()...)
	fault(t, s, map[string]any{"system": "pimcore", "operation": "*", "latencyMs": 1500, "errorRate": 0})
	answers, begun := make(chan int, 20), 0
	for _, sku := range []string{"HL-U509-R", "HL-U509", "HL-U509-B", "SO-B909-M", "CA-1098", "LJ-0192-S", "LJ-0192-M", "LJ-0192-L", "LJ-0192-X", "SO-R809-M"} {
		query := `{"query":"{ product(sku: \"` + sku + `\") { name } }"}`
		for _, ask := range []func() int{
			func() int { return status(t.Context(), http.MethodPost, s.Web+"/graphql", query) },
			func() int { return status(t.Context(), http.MethodGet, s.Mobile+"/v1/screens/products/"+sku, "") },
		} {
			go func() { answers <- ask() }()
			begun++ // one after the other, since pages that begin at a time share a call
			require.Eventually(t, func() bool { return calls(t, s)["pimcore"]["products"] >= begun }, time.Minute, time.Millisecond, "it is being answered")
		}
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop() }()
	for range 20 {
		select {
		case code := <-answers:
			assert.Equal(t, http.StatusOK, code)
		case <-time.After(time.Minute):
			require.Fail(t, "a request was dropped")
		}
	}
	require.NoError(t, <-stopped)
}

// status makes one request and answers its status, 0 when there was no answer.
func status(ctx context.Context, method, url, body string) int {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := client.Do(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func TestEnvExampleIsAccepted(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../.env.example")
	require.NoError(t, err)
	var environ []string
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			environ = append(environ, line)
		}
	}
	for _, pkg := range []string{"./bff-web/cmd/bff-web", "./bff-mobile/cmd/bff-mobile"} {
		addr := free(t, 2)
		cmd := exec.CommandContext(t.Context(), build(t, pkg))
		cmd.Env = append(environ, "PORTICO_MODE=production", "WEB_OPEN_QUERIES=", "WEB_DOCUMENTS_DIR=../demo/stack/documents", "REDIS_URL=", "WEB_ADDR="+addr[0], "MOBILE_ADDR="+addr[0], "WEB_ADMIN_ADDR="+addr[1], "MOBILE_ADMIN_ADDR="+addr[1])
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		require.NoError(t, cmd.Start())
		await(t, "http://"+addr[1]+"/readyz")
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(t, cmd.Wait(), out.String())
		assert.NotContains(t, out.String(), "sandbox-odoo-key", "secrets are not logged")
	}
}
