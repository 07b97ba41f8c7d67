package events

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// What is signed with the right secret, and yet can be read in more than one way.
func TestEventsSignedIsNotEnough(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(h http.Header, body string){
		"two signatures": func(h http.Header, _ string) { h.Add(HeaderSignature, "v1,AAAA") },
		"a timestamp with a sign": func(h http.Header, body string) {
			key, err := keyOf(secret)
			require.NoError(t, err)
			stamp := "+" + strconv.FormatInt(time.Now().Unix(), 10)
			h.Set(HeaderTimestamp, stamp)
			h.Set(HeaderSignature, version+base64.StdEncoding.EncodeToString(mac(key, h.Get(HeaderID)+"."+stamp+".", []byte(body))))
		},
	} {
		rig := newRig(t, nil)
		body := event("e1", "BK-1")
		request := signedRequest(body)
		change(request.Header, body)
		assert.Equal(t, http.StatusUnauthorized, rig.send(request).Code, name)
		assert.Empty(t, rig.struck.all(), name)
	}
}

func TestEventsNameAsManyTagsAsTheyMay(t *testing.T) {
	t.Parallel()
	for tags, status := range map[int]int{0: 400, 1: 202, maxTags: 202, maxTags + 1: 400} {
		rig := newRig(t, nil)
		list, err := json.Marshal(map[string][]string{"tags": strings.Fields(strings.Repeat("search ", tags))})
		require.NoError(t, err)
		body := strings.Replace(with("data", string(list)), `"odoo.webhook"`, `"`+TypeInvalidate+`"`, 1)
		answer := rig.send(signedRequest(body))
		assert.Equal(t, status, answer.Code, "%d tags: %s", tags, answer.Body)
	}
}

// An entry of the stream that lacks what it is known by is for nobody to apply.
func TestEventsWithoutAnIDOrASourceCannotBeRead(t *testing.T) {
	t.Parallel()
	whole := map[string]any{"id": "e1", "source": "erp", "type": "t", "tags": "search"}
	e := entryOf(redis.XMessage{ID: "1-0", Values: whole})
	assert.True(t, e.readable)
	assert.Equal(t, []commerce.Tag{"search"}, e.change.Tags)
	for _, lacking := range []string{"id", "source", "tags"} {
		part := map[string]any{}
		for name, value := range whole {
			if name != lacking {
				part[name] = value
			}
		}
		assert.False(t, entryOf(redis.XMessage{ID: "1-0", Values: part}).readable, lacking)
	}
}
