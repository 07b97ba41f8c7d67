package graphhttp

import (
	"net/http"
	"strings"
)

// Upgrades tells whether a request asks to go on as a WebSocket.
func Upgrades(h http.Header) bool {
	for _, offered := range h["Upgrade"] {
		for protocol := range strings.SplitSeq(offered, ",") {
			if strings.EqualFold(strings.TrimSpace(protocol), "websocket") {
				return true
			}
		}
	}
	return false
}
