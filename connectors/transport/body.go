package transport

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
)

// wholeBody is a body that has been read.
type wholeBody struct {
	bytes.Reader
	data   []byte
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
		if encoding := res.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
			return nil, badAnswer(errEncoding)
		}
		limit := orDefault(a.call.traits.MaxBody, c.cfg.MaxBodyBytes)
		data, err := readUpTo(res, limit)
		if err != nil {
			return nil, brokeOff(ctx)
		}
		if int64(len(data)) > limit {
			return nil, badAnswer(errTooLarge)
		}
		whole := &wholeBody{data: data}
		whole.Reset(data)
		res.Body = whole
		return res, nil
	}
}

// readUpTo reads one byte more than limit at most. The limit is on what was
// decoded: net/http inflates gzip as it is read. A declared length spares the
// buffer its growing.
func readUpTo(res *http.Response, limit int64) ([]byte, error) {
	if res.ContentLength <= 0 || res.ContentLength > limit {
		return io.ReadAll(io.LimitReader(res.Body, limit+1))
	}
	data := make([]byte, res.ContentLength)
	_, err := io.ReadFull(res.Body, data)
	return data, err
}

func brokeOff(ctx context.Context) error {
	got := &progress{}
	got.connected.Store(true)
	if ctx.Err() != nil {
		return lost(ctx, ctx.Err(), got)
	}
	return badAnswer(errTruncated)
}
