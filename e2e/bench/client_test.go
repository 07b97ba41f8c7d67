package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/valyala/fasthttp"
)

func TestAnAnswerThatLacksAPartIsAFailure(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		`{"data":{"product":{"sku":"A-1"}}}`:                                 true,
		`{"sku":"A-1","related":[]}`:                                         true,
		`{"errors":[{"message":"unavailable now"}],"data":{"product":null}}`: false,
		`{"data":{"product":{"price":null}},"extensions":{"freshness":[{"state":"missing","reason":"bulkhead-full"}]}}`: false,
		`{"sku":"A-1","degraded":[{"part":"price"}]}`:                                                                   false,
	} {
		var res fasthttp.Response
		res.SetBodyString(body)
		assert.Equal(t, want, ask{}.good(&res), body)
		res.SetStatusCode(fasthttp.StatusServiceUnavailable)
		assert.False(t, ask{}.good(&res), body)
	}
}
