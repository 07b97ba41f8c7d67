package edge

import "net/http"

// recent answers the last requests that failed, were degraded or took long, one line for
// each: [recent.Snapshot], of this process.
func (b *Backend) recent(w http.ResponseWriter, _ *http.Request) {
	kept := b.Requests.Snapshot()
	var p sheet
	p.member("channel", b.Telemetry.Channel())
	p.member("slowMs", kept.SlowMS)
	p.member("seen", kept.Seen)
	lines(&p, "requests", kept.Requests)
	answer(w, http.StatusOK, "application/json; charset=utf-8", p.bytes())
}
