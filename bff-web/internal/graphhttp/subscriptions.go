package graphhttp

import (
	"net/http"
	"strings"
)

// refuseUpgrade refuses a request to go on as a WebSocket: there are no subscriptions,
// and who asks for them is told so rather than answered something else.
func refuseUpgrade(h http.Header) error {
	for _, offered := range h["Upgrade"] {
		for protocol := range strings.SplitSeq(offered, ",") {
			if strings.EqualFold(strings.TrimSpace(protocol), "websocket") {
				return &refusal{http.StatusBadRequest, "NO_SUBSCRIPTIONS", "there are no subscriptions, and no WebSocket: use POST, or GET for queries", ""}
			}
		}
	}
	return nil
}
