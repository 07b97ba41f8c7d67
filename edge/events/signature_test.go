package events

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// The example of the specification's own libraries.
func TestEventsSignatureIsThatOfStandardWebhooks(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	Sign(h, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	assert.Equal(t, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", h.Get("webhook-signature"))
	assert.Equal(t, "1614265330", h.Get("webhook-timestamp"))
}

func TestEventsSignatureMatrix(t *testing.T) {
	t.Parallel()
	now := time.Now()
	again := func(key commerce.Secret, at time.Time) func(*http.Request, string) {
		return func(r *http.Request, body string) { Sign(r.Header, key, "msg_1", at, []byte(body)) }
	}
	cases := map[string]struct {
		change func(r *http.Request, body string)
		status int
	}{
		"good":                   {func(*http.Request, string) {}, 202},
		"the other secret":       {again(rotated, now), 202},
		"a secret of nobody's":   {again("ffffffffffffffffffffffffffffffff", now), 401},
		"four minutes old":       {again(secret, now.Add(-4*time.Minute)), 202},
		"four minutes ahead":     {again(secret, now.Add(4*time.Minute)), 202},
		"old":                    {again(secret, now.Add(-6*time.Minute)), 401},
		"in the future":          {again(secret, now.Add(6*time.Minute)), 401},
		"before 1970":            {again(secret, time.Unix(-5, 0)), 401},
		"no id":                  {func(r *http.Request, _ string) { r.Header.Del(HeaderID) }, 401},
		"no timestamp":           {func(r *http.Request, _ string) { r.Header.Del(HeaderTimestamp) }, 401},
		"no signature":           {func(r *http.Request, _ string) { r.Header.Del(HeaderSignature) }, 401},
		"an empty signature":     {func(r *http.Request, _ string) { r.Header.Set(HeaderSignature, "") }, 401},
		"an empty sum":           {func(r *http.Request, _ string) { r.Header.Set(HeaderSignature, "v1,") }, 401},
		"no base64":              {func(r *http.Request, _ string) { r.Header.Set(HeaderSignature, "v1,%%%") }, 401},
		"another id":             {func(r *http.Request, _ string) { r.Header.Set(HeaderID, "msg_2") }, 401},
		"an id with a dot":       {func(r *http.Request, body string) { Sign(r.Header, secret, "msg.1", now, []byte(body)) }, 401},
		"two ids":                {func(r *http.Request, _ string) { r.Header.Add(HeaderID, "msg_2") }, 401},
		"another timestamp":      {func(r *http.Request, _ string) { r.Header.Set(HeaderTimestamp, strconv.FormatInt(now.Unix()+100, 10)) }, 401},
		"a timestamp with signs": {func(r *http.Request, _ string) { r.Header.Set(HeaderTimestamp, "+"+r.Header.Get(HeaderTimestamp)) }, 401},
		"two timestamps":         {func(r *http.Request, _ string) { r.Header.Add(HeaderTimestamp, "1") }, 401},
		"milliseconds":           {func(r *http.Request, _ string) { r.Header.Set(HeaderTimestamp, strconv.FormatInt(now.UnixMilli(), 10)) }, 401},
		"another scheme": {func(r *http.Request, _ string) {
			r.Header.Set(HeaderSignature, strings.Replace(r.Header.Get(HeaderSignature), "v1,", "v1a,", 1))
		}, 401},
		"no scheme": {func(r *http.Request, _ string) {
			r.Header.Set(HeaderSignature, strings.TrimPrefix(r.Header.Get(HeaderSignature), "v1,"))
		}, 401},
		"cut short": {func(r *http.Request, _ string) {
			r.Header.Set(HeaderSignature, r.Header.Get(HeaderSignature)[:20]+"==")
		}, 401},
		"several, one good": {func(r *http.Request, _ string) {
			r.Header.Set(HeaderSignature, "v1a,abc v1,AAAA "+r.Header.Get(HeaderSignature))
		}, 202},
		"good after too many": {func(r *http.Request, _ string) {
			r.Header.Set(HeaderSignature, strings.Repeat("v1,AAAA ", mostSignatures)+r.Header.Get(HeaderSignature))
		}, 401},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := newRig(t, nil)
			body := event("e1", "BK-1")
			request := signedRequest(body)
			c.change(request, body)
			answer := rig.send(request)
			assert.Equal(t, c.status, answer.Code, answer.Body)
			assert.Len(t, rig.struck.all(), map[int]int{202: 1}[c.status])
			if c.status == http.StatusUnauthorized {
				assert.NotContains(t, rig.log.String(), "BK-1")
				assert.JSONEq(t, `{"type":"/problems/unauthenticated","title":"Signature is not good","status":401}`, answer.Body.String(),
					"whoever is refused is not told why")
			}
		})
	}
}

func TestEventsABodyThatWasChangedIsRefused(t *testing.T) {
	t.Parallel()
	rig := newRig(t, nil)
	request := signedRequest(event("e1", "BK-1"))
	forged := httptest.NewRequest(http.MethodPost, "/events", strings.NewReader(event("e1", "BK-2")))
	forged.Header = request.Header
	assert.Equal(t, http.StatusUnauthorized, rig.send(forged).Code)
	assert.Empty(t, rig.struck.all())
	assert.Contains(t, rig.log.String(), `"reason":"signature"`)
	assert.NotContains(t, rig.log.String(), "BK-2")
}

func TestEventsAReplayDoesNothing(t *testing.T) {
	t.Parallel()
	rig := newRig(t, nil)
	body := event("e1", "BK-1")
	first := rig.send(signedRequest(body))
	assert.Equal(t, http.StatusAccepted, first.Code)
	assert.JSONEq(t, `{"accepted":1,"duplicates":0}`, first.Body.String())
	for range 3 {
		again := rig.send(signedRequest(body))
		assert.Equal(t, http.StatusAccepted, again.Code)
		assert.JSONEq(t, `{"accepted":0,"duplicates":1}`, again.Body.String())
	}
	assert.Equal(t, []commerce.Tag{"reviews:BK-1"}, rig.struck.all())
}

func TestEventsConfigIsChecked(t *testing.T) {
	t.Parallel()
	long := commerce.Secret(strings.Repeat("s", leastSecret))
	for _, bad := range []Config{
		{Addr: "nowhere", Secrets: []commerce.Secret{long}},
		{Addr: ":1"},
		{Addr: ":1", Secrets: []commerce.Secret{long[1:]}},
		{Addr: ":1", Secrets: []commerce.Secret{long, ""}},
		{Addr: ":1", Secrets: []commerce.Secret{"whsec_not base64"}},
		{Addr: ":1", Secrets: []commerce.Secret{"whsec_c2hvcnQ="}},
		{Addr: ":1", Secrets: []commerce.Secret{long}, Sources: map[string]string{"a b": "pim"}},
	} {
		err := bad.Validate()
		require.Error(t, err, bad.Addr)
		assert.NotContains(t, err.Error(), "sss", "no secret is in an error")
	}
	require.NoError(t, Config{}.Validate(), "off")
	require.Error(t, Config{Sources: map[string]string{"x": "PIM"}}.CheckSources(nil))
	none, err := New(Config{}, Deps{})
	require.NoError(t, err)
	require.Nil(t, none)
	require.NoError(t, none.Listen(t.Context()))
	require.NoError(t, none.Serve(t.Context()))
	require.NoError(t, none.Close())
	assert.Empty(t, none.Addr())
}
