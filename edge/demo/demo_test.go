package demo_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/demo"
)

func TestTheSandboxIsAsked(t *testing.T) {
	t.Parallel()
	box := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method + r.URL.Path {
		case "GET/_sandbox/customers":
			_, _ = w.Write([]byte(`[{"customer":"AW1","name":"Ann","email":"ann@example.test","priceGroup":"retail","orders":2}]`))
		case "POST/_sandbox/token":
			var sent struct{ Customer string }
			if json.NewDecoder(r.Body).Decode(&sent) != nil || sent.Customer != "AW1" {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			_, _ = w.Write([]byte(`{"token":"s1gned"}`))
		}
	}))
	t.Cleanup(box.Close)
	s := demo.Sandbox{URL: box.URL + "/"}
	list, err := s.Customers(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []demo.Customer{{Number: "AW1", Name: "Ann", PriceGroup: "retail", Orders: 2}}, list)
	token, err := s.Token(t.Context(), "AW1")
	require.NoError(t, err)
	assert.Equal(t, "s1gned", token)
	_, err = s.Token(t.Context(), "AW2")
	assert.Error(t, err)
}

func TestASandboxThatIsNone(t *testing.T) {
	t.Parallel()
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`[]`)) }))
	t.Cleanup(silent.Close)
	for _, url := range []string{"", "http://127.0.0.1:1", "://", silent.URL} {
		s := demo.Sandbox{URL: url}
		_, err := s.Customers(t.Context())
		assert.Error(t, err, url)
		_, err = s.Token(t.Context(), "AW1")
		assert.Error(t, err, url)
	}
}
