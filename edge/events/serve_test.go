package events

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// pipes is a listener whose connections are in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours
}

func TestEventsASlowBodyIsCutOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rig := newRig(t, nil)
		listener := newPipes()
		rig.listener = listener
		var work sync.WaitGroup
		work.Go(func() { assert.NoError(t, rig.Serve(t.Context())) })

		body := event("e1", "A")
		request := signedRequest(body)
		conn := listener.dial()
		begun := time.Now()
		work.Go(func() {
			_, _ = fmt.Fprintf(conn, "POST /events HTTP/1.1\r\nHost: portico\r\nContent-Length: %d\r\n", len(body))
			_ = request.Header.Write(conn)
			_, _ = conn.Write([]byte("\r\n"))
			for _, b := range []byte(body) { // a byte a second
				time.Sleep(time.Second)
				if _, err := conn.Write([]byte{b}); err != nil {
					return
				}
			}
		})
		answer, err := http.ReadResponse(bufio.NewReader(conn), request)
		if err == nil {
			assert.Equal(t, http.StatusRequestTimeout, answer.StatusCode)
			_ = answer.Body.Close()
		}
		assert.Equal(t, 5*time.Second, time.Since(begun))
		assert.Empty(t, rig.struck.all())
		assert.Empty(t, rig.receiver.places, "its place is free again")

		silent := listener.dial()
		begun = time.Now()
		_, err = silent.Read(make([]byte, 1))
		require.Error(t, err)
		assert.Equal(t, 2*time.Second, time.Since(begun), "who sends no header is cut off")

		assert.NoError(t, conn.Close())
		assert.NoError(t, rig.Close())
		work.Wait()
	})
}

func TestEventsAreTakenOnTheAddress(t *testing.T) {
	t.Parallel()
	rig := newRig(t, nil)
	require.NoError(t, rig.Listen(t.Context()))
	served := make(chan error, 1)
	go func() { served <- rig.Serve(t.Context()) }()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	post := func(body string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+rig.Addr()+"/events", bytes.NewReader([]byte(body)))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/cloudevents+json")
		Sign(request.Header, rotated, "m", time.Now(), []byte(body))
		answer, err := client.Do(request)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer.StatusCode
	}
	assert.Equal(t, http.StatusAccepted, post(event("e1", "A")))
	assert.Equal(t, http.StatusRequestEntityTooLarge, post(strings.Repeat(" ", MaxBody+1)))
	assert.Equal(t, []commerce.Tag{"reviews:A"}, rig.struck.all())
	require.NoError(t, rig.Close())
	require.NoError(t, <-served)
	require.NoError(t, rig.Close(), "twice does no harm")

	unserved := newRig(t, nil)
	require.NoError(t, unserved.Listen(t.Context()))
	require.NoError(t, unserved.Close())
	require.NoError(t, unserved.Serve(t.Context()), "closed before it began")
}
