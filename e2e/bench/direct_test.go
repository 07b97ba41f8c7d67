package main

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

// What is made at a time is a round; the next one is made when the first of those is answered.
func TestCallsAreSortedByRounds(t *testing.T) {
	t.Parallel()
	p := inRounds([]called{
		{At: 3 * time.Millisecond, Path: "/b"},
		{At: 24 * time.Millisecond, Path: "/d"},
		{At: 2 * time.Millisecond, Path: "/a"},
		{At: 4 * time.Millisecond, Path: "/c"},
	})
	assert.Equal(t, "3, then 1", p.shape())
	assert.Equal(t, "1, then 1", p.narrow().shape())
	assert.Equal(t, "/a", p[0][0].Path)
	assert.Equal(t, "/d", p[1][0].Path)
}

// A page's calls are asked of the systems as they were told of: all of them, with their bodies.
func TestAPageIsAskedForDirectly(t *testing.T) {
	t.Parallel()
	listener := fasthttputil.NewInmemoryListener()
	asked := make(chan string, 3)
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		asked <- string(ctx.RequestURI()) + " " + string(ctx.PostBody())
		if string(ctx.RequestURI()) == "/gone" {
			ctx.SetStatusCode(fasthttp.StatusNotFound)
		}
	}}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = listener.Close() })
	systems := newTarget("systems", "systems")
	systems.client.Dial = func(string) (net.Conn, error) { return listener.Dial() }

	require.NoError(t, page{{{Path: "/a", Body: "1"}, {Path: "/b", Body: "2"}}, {{Path: "/c", Body: "3"}}}.ask(systems).instead())
	assert.ElementsMatch(t, []string{"/a 1", "/b 2"}, []string{<-asked, <-asked})
	assert.Equal(t, "/c 3", <-asked)
	assert.ErrorContains(t, page{{{Path: "/a"}, {Path: "/gone"}}}.ask(systems).instead(), "404")
}
