package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// with is a good event with one attribute replaced; an empty value leaves it out.
func with(name, value string) string {
	attributes := map[string]json.RawMessage{
		"specversion": json.RawMessage(`"1.0"`), "id": json.RawMessage(`"e1"`), "source": json.RawMessage(`"erp"`),
		"type": json.RawMessage(`"odoo.webhook"`), "data": json.RawMessage(`{"_model":"stock.quant","x_sku":"BK-1"}`),
	}
	delete(attributes, name)
	if value != "" {
		attributes[name] = json.RawMessage(value)
	}
	text, err := json.Marshal(attributes)
	if err != nil {
		return name + value // not JSON, as it was meant
	}
	return string(text)
}

func TestEventsWhatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ body, field, code string }{
		"not JSON":             {`{"id":`, "", "INVALID"},
		"two values":           {with("", "") + "{}", "", "INVALID"},
		"an array":             {`[]`, "", "INVALID"},
		"null":                 {`null`, "", "INVALID"},
		"a key twice":          {`{"id":"a","id":"b"}`, "", "INVALID"},
		"a key twice by case":  {with("data", `{"_model":"stock.quant","_MODEL":"res.partner"}`), "", "INVALID"},
		"not UTF-8":            {"{\"id\":\"\xff\"}", "", "INVALID"},
		"too deep":             {with("data", `{"a":`+strings.Repeat("[", maxDepth)+strings.Repeat("]", maxDepth)+`}`), "", "INVALID"},
		"no id":                {with("id", ""), "id", "REQUIRED"},
		"an id that is null":   {with("id", "null"), "id", "REQUIRED"},
		"an empty id":          {with("id", `""`), "id", "INVALID"},
		"an id with a space":   {with("id", `"a b"`), "id", "INVALID"},
		"a number for an id":   {with("id", `1`), "id", "INVALID"},
		"too long an id":       {with("id", `"`+strings.Repeat("a", 256)+`"`), "id", "INVALID"},
		"no version":           {with("specversion", ""), "specversion", "REQUIRED"},
		"another version":      {with("specversion", `"0.3"`), "specversion", "UNSUPPORTED"},
		"no source":            {with("source", ""), "source", "REQUIRED"},
		"an unknown source":    {with("source", `"shop"`), "source", "UNSUPPORTED"},
		"no type":              {with("type", ""), "type", "REQUIRED"},
		"an unknown type":      {with("type", `"odoo.cron"`), "type", "UNSUPPORTED"},
		"a silent system":      {with("source", `"crm"`), "type", "UNSUPPORTED"},
		"no data":              {with("data", ""), "data", "REQUIRED"},
		"data in base64":       {with("data_base64", `"e30="`), "data_base64", "UNSUPPORTED"},
		"data of another type": {with("datacontenttype", `"text/xml"`), "datacontenttype", "UNSUPPORTED"},
		"a field of data":      {with("data", `{"_model":7}`), "data._model", "INVALID"},
		"data without a part":  {with("data", `{}`), "data._model", "REQUIRED"},
		"no time":              {with("time", `"yesterday"`), "time", "INVALID"},
		"an object beside":     {with("extension", `{}`), "", "INVALID"},
		"a name beside":        {with("Not allowed", `1`), "", "INVALID"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := newRig(t, nil)
			answer := rig.send(signedRequest(c.body))
			require.Equal(t, http.StatusBadRequest, answer.Code, answer.Body)
			var said problem
			require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &said))
			assert.Equal(t, "application/problem+json", answer.Header().Get("Content-Type"))
			assert.Equal(t, "/problems/invalid-event", said.Type)
			assert.Equal(t, c.field, said.Field, said.Detail)
			assert.Equal(t, commerce.Code(c.code), said.Code)
			if strings.HasPrefix(c.field, "data._model") {
				assert.Equal(t, []commerce.Tag{"system:odoo"}, rig.struck.all(), "something of the ERP changed, and nobody can tell what")
				assert.Contains(t, rig.log.String(), "change event not understood; all of its system is dropped")
				return
			}
			assert.Empty(t, rig.struck.all())
		})
	}
}

func TestEventsGoodOnesAreApplied(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		body string
		tags []commerce.Tag
	}{
		"plain":               {with("", ""), []commerce.Tag{"stock:BK-1"}},
		"extensions":          {with("traceparent", `"00-1"`), []commerce.Tag{"stock:BK-1"}},
		"a null attribute":    {with("time", `null`), []commerce.Tag{"stock:BK-1"}},
		"a time":              {with("time", `"2026-11-21T08:00:00.123Z"`), []commerce.Tag{"stock:BK-1"}},
		"a subject of words":  {with("subject", `"ein Fahrrad für später"`), []commerce.Tag{"stock:BK-1"}},
		"a configured source": {with("source", `"urn:uuid:42"`), []commerce.Tag{"stock:BK-1"}},
		"nothing kept":        {with("data", `{"_model":"account.move"}`), nil},
		"tags":                {strings.Replace(with("type", `"portico.invalidate"`), `{"_model":"stock.quant","x_sku":"BK-1"}`, `{"tags":["search","product:X"]}`, 1), []commerce.Tag{"search", "product:X"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rig := newRig(t, nil)
			answer := rig.send(signedRequest(c.body))
			require.Equal(t, http.StatusAccepted, answer.Code, answer.Body)
			assert.Equal(t, c.tags, rig.struck.all())
		})
	}
}

func TestEventsABatchIsTakenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	rig := newRig(t, nil)
	batch := func(body string) *httptest.ResponseRecorder {
		request := signedRequest(body)
		request.Header.Set("Content-Type", "application/cloudevents-batch+json; charset=UTF-8")
		return rig.send(request)
	}
	answer := batch("[" + event("e1", "A") + "," + with("type", `"odoo.cron"`) + "]")
	assert.Equal(t, http.StatusBadRequest, answer.Code)
	assert.Contains(t, answer.Body.String(), `"field":"events[1].type"`)
	assert.Empty(t, rig.struck.all())

	answer = batch("[" + event("e1", "A") + "," + event("e2", "B") + "," + event("e1", "A") + "]")
	assert.Equal(t, http.StatusAccepted, answer.Code)
	assert.JSONEq(t, `{"accepted":2,"duplicates":1}`, answer.Body.String())
	assert.Equal(t, []commerce.Tag{"reviews:A", "reviews:B"}, rig.struck.all())

	answer = batch("[" + event("e3", "C") + "," + with("data", `{"_model":7}`) + "]")
	assert.Equal(t, http.StatusBadRequest, answer.Code)
	assert.Contains(t, answer.Body.String(), `"field":"events[1].data._model"`)
	assert.Equal(t, []commerce.Tag{"reviews:A", "reviews:B", "reviews:C", "system:odoo"}, rig.struck.all(), "nothing is lost by what cannot be read")

	assert.Equal(t, http.StatusAccepted, batch("[]").Code)
	assert.Equal(t, http.StatusBadRequest, batch(event("e3", "A")).Code, "one event is no batch")
	many := strings.TrimSuffix(strings.Repeat("{},", maxEvents+1), ",")
	assert.Contains(t, batch("["+many+"]").Body.String(), "OUT_OF_RANGE")
}

func TestEventsLimitsOfARequest(t *testing.T) {
	t.Parallel()
	rig := newRig(t, nil)
	padded := func(size int) string {
		body := with("padding", `"x"`)
		return body + strings.Repeat(" ", size-len(body))
	}
	assert.Equal(t, http.StatusAccepted, rig.send(signedRequest(padded(MaxBody))).Code)
	answer := rig.send(signedRequest(padded(MaxBody + 1)))
	assert.Equal(t, http.StatusRequestEntityTooLarge, answer.Code)
	assert.Contains(t, answer.Body.String(), "/problems/too-large")

	for _, media := range []string{"", "application/json", "text/plain", "application/cloudevents+json; charset=latin1", "application/cloudevents+avro"} {
		request := signedRequest(event("m", "M"))
		request.Header.Set("Content-Type", media)
		assert.Equal(t, http.StatusUnsupportedMediaType, rig.send(request).Code, media)
	}
	request := signedRequest(event("m", "M"))
	request.Header.Set("Content-Encoding", "gzip")
	assert.Equal(t, http.StatusUnsupportedMediaType, rig.send(request).Code)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		assert.Equal(t, http.StatusMethodNotAllowed, rig.send(httptest.NewRequest(method, "/events", nil)).Code)
	}
}

func TestEventsBeyondTheRateHaveToWait(t *testing.T) {
	t.Parallel()
	rig := newRig(t, nil)
	now := time.Now()
	rig.receiver.now = func() time.Time { return now }
	send := func(i int) int { return rig.send(signedRequest(event(fmt.Sprint("e", i), "A"))).Code }
	for i := range burst {
		require.Equal(t, http.StatusAccepted, send(i))
	}
	forged := signedRequest(event("x", "A"))
	forged.Header.Set(HeaderID, "other")
	assert.Equal(t, http.StatusUnauthorized, rig.send(forged).Code, "who is not believed spends nothing")
	answer := rig.send(signedRequest(event("late", "A")))
	assert.Equal(t, http.StatusTooManyRequests, answer.Code)
	assert.Equal(t, "1", answer.Header().Get("Retry-After"))
	now = now.Add(time.Second)
	for i := range perSecond {
		require.Equal(t, http.StatusAccepted, send(burst+i))
	}
	assert.Equal(t, http.StatusTooManyRequests, send(2*burst))
}

func TestEventsTooManyAtOnceAreRefusedUnread(t *testing.T) {
	t.Parallel()
	rig := newRig(t, nil)
	for range mostAtOnce {
		rig.receiver.places <- struct{}{}
	}
	answer := rig.send(signedRequest(event("e", "A")))
	assert.Equal(t, http.StatusServiceUnavailable, answer.Code)
	assert.Equal(t, "1", answer.Header().Get("Retry-After"))
	<-rig.receiver.places
	assert.Equal(t, http.StatusAccepted, rig.send(signedRequest(event("e", "A"))).Code)
}

func TestEventsThatCannotBeAppliedAreSentAgain(t *testing.T) {
	t.Parallel()
	rig := newRig(t, nil)
	rig.struck.err = errors.New("not now")
	assert.Equal(t, http.StatusServiceUnavailable, rig.send(signedRequest(event("e", "A"))).Code)
	rig.struck.err = nil
	answer := rig.send(signedRequest(event("e", "A")))
	assert.JSONEq(t, `{"accepted":1,"duplicates":0}`, answer.Body.String())
	assert.Equal(t, []commerce.Tag{"reviews:A"}, rig.struck.all())
}

func TestEventsTheMemoryOfAProcessIsBounded(t *testing.T) {
	t.Parallel()
	d := newDirect(nil)
	now := time.Now()
	d.now = func() time.Time { return now }
	for i := range 2 * mostKnown {
		require.True(t, d.remember(fmt.Sprint(i)))
	}
	assert.Len(t, d.known, mostKnown)
	assert.False(t, d.remember(fmt.Sprint(2*mostKnown-1)))
	now = now.Add(memory)
	assert.True(t, d.remember(fmt.Sprint(2*mostKnown-1)), "forgotten after a quarter of an hour")
	assert.Len(t, d.known, 1)
	assert.Equal(t, 1, d.order.Len())
}

// FuzzReadEvents looks for events that were taken although they are not sound.
func FuzzReadEvents(f *testing.F) {
	for _, seed := range []string{event("e", "A"), with("time", `"2026-11-21T08:00:00Z"`), "[" + event("e", "A") + "]", `{"id":1}`, "[[[", `{"a":{"b":"c","B":1}}`} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, batch bool) {
		events, err := readEvents(body, batch)
		if err != nil {
			wrong, ok := errors.AsType[*commerce.InputError](err)
			require.True(t, ok)
			assert.NotEmpty(t, wrong.Code)
			return
		}
		for _, e := range events {
			assert.Regexp(t, textPattern, e.ID)
			assert.Regexp(t, textPattern, e.Source)
			assert.Regexp(t, textPattern, e.Type)
			assert.True(t, json.Valid(e.Data))
			assert.Equal(t, byte('{'), e.Data[0])
		}
	})
}
