//go:build e2e

package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"
)

// browser is a tab of a real browser that can reach nothing but this machine, driven by
// the DevTools protocol.
type browser struct {
	t        *testing.T
	ctx      context.Context
	conn     *websocket.Conn
	session  string
	sent     int
	requests []string // addresses that were asked for
	errors   []string // what the page's console says is wrong
}

// message is what either side says. Answers have an id, events a method.
type message struct {
	ID        int             `json:"id,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     json.RawMessage `json:"error,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
}

// browse opens url.
func browse(t *testing.T, url string) *browser {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx}
	b.connect(launch(t))
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Network", "Log", "Runtime"} {
		b.call(domain+".enable", nil, nil)
	}
	b.call("Page.navigate", map[string]any{"url": url}, nil)
	return b
}

// launch starts the browser and answers where it takes commands.
func launch(t *testing.T) string {
	t.Helper()
	home, err := os.MkdirTemp("", "chromium") //nolint:usetesting // its cleanup fails while one of the browser's processes still writes
	require.NoError(t, err)
	cmd := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+home,
		"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--window-size=1500,950", "--remote-debugging-port=0", "about:blank")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it is several processes, and they end together
	require.NoError(t, cmd.Start(), "chromium is needed: apt-get install chromium")
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		require.Eventually(t, func() bool { return os.RemoveAll(home) == nil }, time.Minute, 50*time.Millisecond)
	})
	var port, path string
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(filepath.Join(home, "DevToolsActivePort"))
		port, path, _ = strings.Cut(strings.TrimSpace(string(text)), "\n")
		return err == nil && path != ""
	}, 3*time.Minute, 50*time.Millisecond)
	return "ws://127.0.0.1:" + port + path
}

func (b *browser) connect(url string) {
	b.t.Helper()
	conn, res, err := websocket.Dial(b.ctx, url, nil)
	require.NoError(b.t, err)
	if res.Body != nil {
		_ = res.Body.Close()
	}
	conn.SetReadLimit(64 << 20)
	b.conn = conn
	b.t.Cleanup(func() { _ = conn.CloseNow() })
}

// call sends a command and takes in what happens until its answer is there.
func (b *browser) call(method string, params any, result any) {
	b.t.Helper()
	b.sent++
	raw, err := json.Marshal(params)
	require.NoError(b.t, err)
	if params == nil {
		raw = []byte("{}")
	}
	require.NoError(b.t, wsjson.Write(b.ctx, b.conn, message{ID: b.sent, Method: method, Params: raw, SessionID: b.session}))
	for {
		var m message
		require.NoError(b.t, wsjson.Read(b.ctx, b.conn, &m), method)
		if m.ID != b.sent {
			b.happened(m)
			continue
		}
		require.Empty(b.t, string(m.Error), method)
		if result != nil {
			require.NoError(b.t, json.Unmarshal(m.Result, result))
		}
		return
	}
}

func (b *browser) happened(m message) {
	var event struct {
		Request struct{ URL string }
		Entry   struct{ Level, Text, URL string }
	}
	require.NoError(b.t, json.Unmarshal(m.Params, &event))
	switch m.Method {
	case "Network.requestWillBeSent":
		b.requests = append(b.requests, event.Request.URL)
	case "Log.entryAdded":
		if event.Entry.Level == "error" {
			b.errors = append(b.errors, event.Entry.Text+" "+event.Entry.URL)
		}
	}
}

// until waits for a JavaScript expression to be true, and answers its value as text.
func (b *browser) until(expression string) string {
	b.t.Helper()
	script := fmt.Sprintf(`new Promise((ok, no) => {
		const end = Date.now() + 120000;
		(function look() {
			let value, failed;
			try { value = (%s); } catch (error) { failed = error; }
			if (value) return ok(String(value));
			if (Date.now() > end) return no(String(failed ?? "not in time"));
			setTimeout(look, 20);
		})();
	})`, expression)
	var out struct {
		Result           struct{ Value string }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": script, "awaitPromise": true, "returnByValue": true}, &out)
	if len(out.ExceptionDetails) > 0 {
		require.Fail(b.t, "never true", "%s: %s; screenshot %s", expression, out.ExceptionDetails, b.screenshot("never"))
	}
	return out.Result.Value
}

// click clicks into the middle of what an expression finds, with a mouse, once that is where it
// stays: drawn, in the same place for two frames, and with nothing else above it.
func (b *browser) click(element string) {
	b.t.Helper()
	at := b.until(`(() => {
		const e = (` + element + `), r = e.getBoundingClientRect(), at = JSON.stringify({x: r.x + r.width / 2, y: r.y + r.height / 2});
		const calm = window.lookedAt?.e === e && window.lookedAt.at === at;
		requestAnimationFrame(() => requestAnimationFrame(() => { window.lookedAt = {e, at}; }));
		return calm && r.width && e.contains(document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2)) && at;
	})()`)
	var where struct{ X, Y float64 }
	require.NoError(b.t, json.Unmarshal([]byte(at), &where))
	for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		b.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": where.X, "y": where.Y, "button": "left", "buttons": 1, "clickCount": 1}, nil)
	}
}

// choose picks an entry of a list.
func (b *browser) choose(id, value string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`(() => {
		const list = document.getElementById(%q);
		list.value = %q;
		list.dispatchEvent(new Event("change", {bubbles: true}));
		return list.value === %[2]q;
	})()`, id, value))
}

// screenshot keeps what the page looks like, and answers where.
func (b *browser) screenshot(name string) string {
	b.t.Helper()
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", nil, &shot)
	raw, err := base64.StdEncoding.DecodeString(shot.Data)
	require.NoError(b.t, err)
	file := filepath.Join(b.t.ArtifactDir(), name+".png")
	require.NoError(b.t, os.WriteFile(file, raw, 0o600))
	return file
}
