package graphhttp

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEventsAreForWhoTakesThem(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": false, "text/event-stream": true, "Text/Event-Stream": true,
		"application/json, text/event-stream": true, "application/json,text/event-stream;q=0.5": true,
		"text/event-stream;q=0": false, "text/event-streams": false, `application/json;a="text/event-stream"`: false,
	} {
		assert.Equal(t, want, AcceptsEvents(http.Header{"Accept": {accept}}), accept)
	}
	assert.False(t, AcceptsEvents(nil))
}
