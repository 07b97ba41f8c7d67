package web

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStreamsAreToldFromAnswers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status int
		media  string
		lasts  bool
	}{
		{http.StatusOK, "text/event-stream; charset=utf-8", true},
		{http.StatusSwitchingProtocols, "", true},
		{http.StatusOK, "application/json; charset=utf-8", false},
		{http.StatusOK, `multipart/mixed; boundary="-"`, false},
		{http.StatusNotAcceptable, "application/json", false},
	} {
		rec := &recorder{ResponseWriter: httptest.NewRecorder(), status: http.StatusOK}
		if tc.media != "" {
			rec.Header().Set("Content-Type", tc.media)
		}
		rec.WriteHeader(tc.status)
		assert.Equal(t, tc.lasts, rec.lasts(), "%d %s", tc.status, tc.media)
	}
}
