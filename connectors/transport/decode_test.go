package transport

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

type wireItem struct {
	ID    json.Number `json:"id"`
	Name  string      `json:"name"`
	Extra any         `json:"extra"`
}

func TestN16_AnswersThatDoNotFitAreBadAnswers(t *testing.T) {
	t.Parallel()
	for name, res := range map[string]*Response{
		"login page":    answer("text/html; charset=utf-8", "<html>log in</html>"),
		"html as json":  answer("application/json", "<html>log in</html>"),
		"no type":       answer("", `{"id":1}`),
		"bad type":      answer("application/", `{"id":1}`),
		"empty":         answer("application/json", ""),
		"truncated":     answer("application/json", `{"id":1`),
		"trailing":      answer("application/json", `{"id":1} x`),
		"second value":  answer("application/json", `{"id":1}{"id":2}`),
		"wrong type":    answer("application/json", `{"name":{"canary":1}}`),
		"list":          answer("application/json", `["canary"]`),
		"not UTF-8":     answer("application/json", "{\"name\":\"\xff\"}"),
		"float as text": answer("application/json", `{"name":12.5}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var item wireItem
			err := DecodeJSON("odoo", readTraits, res, &item)
			require.ErrorIs(t, err, commerce.ErrUpstream)
			assert.Equal(t, commerce.ReasonBadAnswer, callError(t, err).Reason)
			assert.NotContains(t, err.Error(), "canary")
			assert.NotContains(t, err.Error(), "12.5")

			err = DecodeJSON("magento", writeTraits, res, &item)
			require.ErrorIs(t, err, commerce.ErrOutcomeUnknown)
			require.ErrorIs(t, err, commerce.ErrUnavailable)
		})
	}
}

func TestDecodeKeepsNumbersExact(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON", "application/hal+json"} {
		var item wireItem
		err := DecodeJSON("odoo", readTraits, answer(contentType, ` {"id":9007199254740993,"name":"é","extra":0.10} `), &item)
		require.NoError(t, err)
		assert.Equal(t, wireItem{ID: "9007199254740993", Name: "é", Extra: json.Number("0.10")}, item)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"id":1}`, `[[[[`, `"\\\""`, "\xff", `{"a":"]]]"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var v any
		err := DecodeJSON("odoo", readTraits, &Response{Status: 200, Header: answer("application/json", "").Header, Body: body}, &v)
		if err == nil {
			require.True(t, json.Valid(body))
			return
		}
		require.ErrorIs(t, err, commerce.ErrUpstream)
	})
}
