package transport

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
)

// wholeBody is a body that has been read: there is nothing more of it for whoever has
// the HTTP response.
type wholeBody struct {
	data   []byte
	size   int64
	wire   int64         // what was sent of it; -1 when it came compressed and was inflated underway
	lent   bool          // data lies in a room, until it is given back
	permit breakerPermit // waits for what the connector makes of the answer
	slow   bool          // it took so long that it counts against the upstream
}

func (*wholeBody) Read([]byte) (int, error) { return 0, io.EOF }

func (*wholeBody) Close() error { return nil }

// readWhole reads the body within its limit, so that an attempt ends with its
// last byte and its connection can be used again.
func (c *Client) readWhole(next attemptHandler) attemptHandler {
	return func(ctx context.Context, a *attempt) (*http.Response, error) {
		res, err := next(ctx, a)
		if err != nil {
			return nil, err
		}
		defer func() { _ = res.Body.Close() }()
		limit := min(orDefault(a.call.traits.MaxBody, c.cfg.MaxBodyBytes), math.MaxInt64-1)
		if res.ContentLength > limit {
			return nil, badAnswer(errTooLarge)
		}
		// Only what a connector reads is used again: an answer without a reader is its caller's,
		// and one that failed may outlive its attempt.
		whole := &wholeBody{lent: a.call.read != nil && judged(res.StatusCode) == nil}
		if err := whole.fill(ctx, res, limit); err != nil {
			whole.giveBack()
			return nil, err
		}
		whole.size = int64(len(whole.data))
		whole.wire = whole.size
		if res.Uncompressed {
			whole.wire = -1
		}
		res.Body = whole
		return res, nil
	}
}

// fill reads res and says why it is of no use. Only when the body is read can its
// connection be used again.
func (b *wholeBody) fill(ctx context.Context, res *http.Response, limit int64) error {
	if err := b.readUpTo(res, limit); err != nil {
		return brokeOff(ctx)
	}
	if int64(len(b.data)) > limit {
		return badAnswer(errTooLarge)
	}
	if encoding := res.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return badAnswer(errEncoding)
	}
	return nil
}

// firstRead is the room for a body of unknown length at first.
const firstRead = 4096

// readUpTo reads one byte more than limit at most. The limit is on what was
// decoded: net/http inflates gzip as it is read. A declared length spares the
// buffer its growing; io.ReadAll would need more than twice the limit.
func (b *wholeBody) readUpTo(res *http.Response, limit int64) error {
	if res.ContentLength > 0 {
		b.data = b.room(res.ContentLength)[:res.ContentLength]
		_, err := io.ReadFull(res.Body, b.data)
		return err
	}
	b.data = b.room(min(firstRead, limit+1))
	for {
		held := len(b.data)
		n, err := res.Body.Read(b.data[held:min(int64(cap(b.data)), limit+1)])
		b.data = b.data[:held+n]
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case int64(len(b.data)) > limit:
			return nil
		case len(b.data) == cap(b.data):
			larger := append(b.room(roomAfter(int64(cap(b.data)), limit)), b.data...)
			b.giveBack()
			b.data = larger
		}
	}
}

// room is where n bytes can be read into.
func (b *wholeBody) room(n int64) []byte {
	if b.lent {
		return bodyRooms.enter(n)
	}
	return make([]byte, 0, n)
}

// giveBack ends the use of what was read. It is for the one goroutine that has the body:
// that of its attempt while that lasts, then whoever was handed its answer.
func (b *wholeBody) giveBack() {
	data := b.data
	b.data = nil
	if b.lent {
		bodyRooms.leave(data)
	}
}

// roomAfter doubles the room. The last step is from no more than half of the
// limit: all the buffers together are then no more than twice the limit.
func roomAfter(room, limit int64) int64 {
	if room > limit/4 {
		return limit + 1
	}
	return 2 * room
}

func brokeOff(ctx context.Context) error {
	got := &progress{}
	got.connected.Store(true)
	if ctx.Err() != nil {
		return lost(ctx, ctx.Err(), got)
	}
	return badAnswer(errTruncated)
}
