package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
)

// wholeBody is a body that has been read.
type wholeBody struct {
	bytes.Reader
	data   []byte
	wire   int64         // what was sent of it; -1 when it came compressed and was inflated underway
	permit breakerPermit // waits for what the connector makes of the answer
	slow   bool          // it took so long that it counts against the upstream
}

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
		data, err := readUpTo(res, limit)
		if err != nil {
			return nil, brokeOff(ctx)
		}
		if int64(len(data)) > limit {
			return nil, badAnswer(errTooLarge)
		}
		// Only now that the body is read can its connection be used again.
		if encoding := res.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
			return nil, badAnswer(errEncoding)
		}
		whole := &wholeBody{data: data, wire: int64(len(data))}
		if res.Uncompressed {
			whole.wire = -1
		}
		whole.Reset(data)
		res.Body = whole
		return res, nil
	}
}

// firstRead is the room for a body of unknown length at first.
const firstRead = 4096

// readUpTo reads one byte more than limit at most. The limit is on what was
// decoded: net/http inflates gzip as it is read. A declared length spares the
// buffer its growing; io.ReadAll would need more than twice the limit.
func readUpTo(res *http.Response, limit int64) ([]byte, error) {
	if res.ContentLength > 0 {
		data := make([]byte, res.ContentLength)
		_, err := io.ReadFull(res.Body, data)
		return data, err
	}
	data := make([]byte, 0, min(firstRead, limit+1))
	for {
		n, err := res.Body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, err
		case int64(len(data)) > limit:
			return data, nil
		case len(data) == cap(data):
			data = append(make([]byte, 0, roomAfter(int64(cap(data)), limit)), data...)
		}
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
