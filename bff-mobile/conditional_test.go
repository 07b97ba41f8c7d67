package bffmobile

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What the client says it has can only spare it the answer: whatever is in If-None-Match, it is
// no mistake, be the answer kept or not.
func TestIfNoneMatchIsNeverRefused(t *testing.T) {
	t.Parallel()
	for name, field := range map[string]string{
		"too long": strings.Repeat(`"x",`, 150) + `"x"`, "other bytes": "\"\xe9\xff\"", "no tags": `x, "`, "empty": "",
	} {
		for _, path := range []string{"/v1/screens/products/MUG-RED", "/v1/screens/account", "/v1/sync"} {
			s, _ := keeping(t)
			c := get(path, "Authorization", "Bearer C1", "If-None-Match", field)
			if path != "/v1/screens/account" {
				c = get(path, "If-None-Match", field)
			}
			for _, when := range []string{"not kept", "kept"} {
				assert.Equal(t, http.StatusOK, s.send(t, c).Status, "%s: %s, %s", name, path, when)
			}
		}
	}
}
