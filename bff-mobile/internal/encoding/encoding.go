// Package encoding chooses how an answer's body is encoded on its way, and encodes it: with
// brotli, zstd or gzip. Equal bodies are encoded alike, whoever was served before: an entity
// tag stands for one sequence of bytes.
package encoding

import (
	"bytes"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/molecule-man/go-brrr"
)

// Encoding is a content coding of RFC 9110.
type Encoding uint8

// The codings, the better the later.
const (
	Identity Encoding = iota // as it is
	Gzip
	Zstd
	Brotli
	codings // how many there are
)

// All are the codings.
var All = [codings]Encoding{Identity, Gzip, Zstd, Brotli}

var names = [codings]string{"identity", "gzip", "zstd", "br"}

// String is the coding's name in a header.
func (e Encoding) String() string { return names[min(e, codings-1)] }

// Threshold is the size of the smallest body that is encoded, in bytes: what is smaller fits
// one packet with its header, whatever is done to it.
const Threshold = 1024

// Encode is body in the coding, and the coding that it is in: Identity for a body below the
// [Threshold], and for one that does not become smaller. What it answers may be body itself.
func (e Encoding) Encode(body []byte) ([]byte, Encoding) {
	if e == Identity || len(body) < Threshold {
		return body, Identity
	}
	const usual = 3 // times a screen becomes smaller at least
	encoded := e.Append(make([]byte, 0, len(body)/usual), body)
	if len(encoded) >= len(body) {
		return body, Identity
	}
	if cap(encoded) > len(encoded)+len(encoded)/8 { // whoever keeps it weighs what it holds, not the room behind
		encoded = slices.Clone(encoded)
	}
	return encoded, e
}

// Append appends src in the coding to dst. It never fails, and starts nothing that outlives it.
//
// fasthttp has the like, but hands the work to goroutines of its own, and when these are busy
// it appends nothing and does not say so.
func (e Encoding) Append(dst, src []byte) []byte {
	switch e {
	case Gzip:
		return appendGzip(dst, src)
	case Zstd:
		return zstdOf().EncodeAll(src, dst)
	case Brotli:
		return appendBrotli(dst, src)
	default:
		return append(dst, src...)
	}
}

// Levels that answer a screen of 8 KiB in well below a millisecond: what is encoded is kept,
// but somebody waits for it.
const (
	brotliLevel  = 4
	brotliWindow = 18 // bits: 256 KiB, more than nearly all screens have
	gzipLevel    = 6
	zstdWindow   = 256 << 10
)

var gzips = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(io.Discard, gzipLevel) // the level is one
	return w
}}

func appendGzip(dst, src []byte) []byte {
	w, _ := gzips.Get().(*gzip.Writer)
	defer gzips.Put(w)
	to := bytes.NewBuffer(dst)
	w.Reset(to)
	_, _ = w.Write(src) // into memory: nothing can fail
	_ = w.Close()
	return to.Bytes()
}

// appendBrotli has the library pool what it works with.
func appendBrotli(dst, src []byte) []byte {
	to := bytes.NewBuffer(dst)
	w, err := brrr.NewWriterOptions(to, brotliLevel, brrr.WriterOptions{LGWin: brotliWindow, SizeHint: uint(len(src))})
	if err != nil {
		panic(err) // level and window are constants, which a test uses
	}
	_, _ = w.Write(src)
	_ = w.Close()
	return to.Bytes()
}

// zstdOf is the encoder, of which one serves all.
var zstdOf = sync.OnceValue(func() *zstd.Encoder {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(zstdWindow),
		zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // the options are constants, which a test uses
	}
	return w
})
