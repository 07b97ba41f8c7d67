package web

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What is left to be done is done once the handlers have returned, and in the request's own time.
func TestWhatStaysIsDoneAfterTheHandlers(t *testing.T) {
	t.Parallel()
	var order []string
	note := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			order = append(order, "returned")
		})
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		order = append(order, "handled")
		Stay(r.Context(), func() {
			order = append(order, "stayed")
			w.WriteHeader(http.StatusAccepted)
		})
	})
	w := httptest.NewRecorder()
	Stack(handler, RequestID, Aside, note).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))
	assert.Equal(t, []string{"handled", "returned", "stayed"}, order)
	assert.Equal(t, http.StatusAccepted, w.Code)

	order = nil
	Stack(handler, note).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))
	assert.Equal(t, []string{"handled", "stayed", "returned"}, order, "without Aside it is done at once")
}

// A panic is the request's own, wherever it happens.
func TestAPanicBesideItsRequestIsItsRequests(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"in a handler": func(http.ResponseWriter, *http.Request) { panic("of a handler") },
		"in what stays": func(_ http.ResponseWriter, r *http.Request) {
			Stay(r.Context(), func() { panic("of what stays") })
		},
	} {
		var log bytes.Buffer
		w := httptest.NewRecorder()
		outer := Recover(slog.New(slog.NewTextHandler(&log, nil)))
		Stack(handler, outer, Aside).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))
		assert.Equal(t, http.StatusInternalServerError, w.Code, name)
		assert.Contains(t, log.String(), "panic=\"of ", name)
	}
	aborts := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	assert.PanicsWithError(t, http.ErrAbortHandler.Error(), func() {
		Stack(aborts, Aside, Recover(slog.New(slog.DiscardHandler))).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))
	}, "net/http is to see it")
	exits := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { runtime.Goexit() })
	Stack(exits, Aside).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))
}
