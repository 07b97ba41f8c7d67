package graphhttp

import (
	"net/http"
	"strings"
)

// refuseUpgrade refuses a request to go on as a WebSocket: whoever asks is told
// how to subscribe rather than answered something else.
func refuseUpgrade(h http.Header) error {
	for _, offered := range h["Upgrade"] {
		for protocol := range strings.SplitSeq(offered, ",") {
			if strings.EqualFold(strings.TrimSpace(protocol), "websocket") {
				return &refusal{http.StatusBadRequest, "NO_SUBSCRIPTIONS", "there is no WebSocket: subscribe by POST with Accept: text/event-stream", ""}
			}
		}
	}
	return nil
}
