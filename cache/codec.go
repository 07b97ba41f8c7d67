package cache

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc64"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/portico-bff/portico/schema/commerce"
)

// codec turns an operation's values into bytes and back, exactly.
type codec struct {
	encode func(any) ([]byte, error)
	decode func([]byte) (any, error)
}

// jsonCodec is for types whose JSON says everything about them.
func jsonCodec[V any]() codec {
	return codec{
		encode: json.Marshal,
		decode: func(data []byte) (any, error) {
			var v V
			if err := strictJSON(data, &v); err != nil {
				return nil, err
			}
			return v, nil
		},
	}
}

// treeCodec stores the roots only: the index is made of them.
func treeCodec() codec {
	return codec{
		encode: func(v any) ([]byte, error) {
			tree, ok := v.(*commerce.CategoryTree)
			if !ok || tree == nil {
				return nil, errors.New("not a category tree")
			}
			return json.Marshal(tree.Roots)
		},
		decode: func(data []byte) (any, error) {
			var roots []*commerce.Category
			if err := strictJSON(data, &roots); err != nil {
				return nil, err
			}
			if !whole(roots) {
				return nil, errors.New("a category is missing")
			}
			return commerce.NewCategoryTree(roots), nil
		},
	}
}

// whole tells whether every node is there: JSON may hold null for any.
func whole(list []*commerce.Category) bool {
	for _, c := range list {
		if c == nil || !whole(c.Children) {
			return false
		}
	}
	return true
}

// strictJSON refuses what another version of the type may have written.
func strictJSON(data []byte, v any) error {
	if bytes.Equal(bytes.TrimSpace(data), []byte("null")) {
		return errors.New("no value")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

// The form of a stored entry, version 1:
//
//	"PTC", version, flags, length of key, key, began (ns since 1970, 8 bytes), length of payload, payload, CRC-64 of all before
const (
	entryMagic     = "PTC"
	entryVersion   = 1
	flagCompressed = 1
	compressFrom   = 1 << 10 // bytes of payload from which compressing pays
	maxStored      = 1 << 20 // bytes of an entry; larger ones stay in memory only
	maxPayload     = 8 << 20 // bytes of a payload once decompressed
)

// errCorrupt is anything but what this version wrote for this key.
var errCorrupt = errors.New("stored entry cannot be used")

var checksums = crc64.MakeTable(crc64.ECMA)

// packer writes and reads stored entries. It is safe for concurrent use.
type packer struct {
	zip   *zstd.Encoder
	unzip *zstd.Decoder
}

func newPacker() (*packer, error) {
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, err
	}
	unzip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPayload))
	if err != nil {
		return nil, err
	}
	return &packer{zip: zip, unzip: unzip}, nil
}

func (p *packer) pack(key string, began time.Time, payload []byte) []byte {
	flags := byte(0)
	if len(payload) >= compressFrom {
		payload, flags = p.zip.EncodeAll(payload, nil), flagCompressed
	}
	b := make([]byte, 0, len(entryMagic)+len(key)+len(payload)+40)
	b = append(b, entryMagic...)
	b = append(b, entryVersion, flags)
	b = appendField(b, key)
	b = binary.BigEndian.AppendUint64(b, uint64(began.UnixNano()))
	b = binary.AppendUvarint(b, uint64(len(payload)))
	b = append(b, payload...)
	return binary.BigEndian.AppendUint64(b, crc64.Checksum(b, checksums))
}

// unpack answers the payload of key and when its load began.
func (p *packer) unpack(key string, stored []byte) ([]byte, time.Time, error) {
	const sum = 8
	if len(stored) < len(entryMagic)+2+sum || len(stored) > maxStored {
		return nil, time.Time{}, errCorrupt
	}
	body, tail := stored[:len(stored)-sum], stored[len(stored)-sum:]
	if crc64.Checksum(body, checksums) != binary.BigEndian.Uint64(tail) {
		return nil, time.Time{}, errCorrupt
	}
	r := reader{rest: body, ok: true}
	magic, version, flags := r.take(len(entryMagic)), r.byte(), r.byte()
	own, began := r.field(), r.take(8)
	payload := r.field()
	if !r.ok || len(r.rest) > 0 || string(magic) != entryMagic || version != entryVersion || flags > flagCompressed || string(own) != key {
		return nil, time.Time{}, errCorrupt
	}
	if flags == flagCompressed {
		var err error
		if payload, err = p.unzip.DecodeAll(payload, nil); err != nil {
			return nil, time.Time{}, errCorrupt
		}
	}
	return payload, time.Unix(0, int64(binary.BigEndian.Uint64(began))), nil
}

// reader takes pieces off a stored entry; once one is missing, ok is false.
type reader struct {
	rest []byte
	ok   bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.ok, r.rest = false, nil
		return nil
	}
	piece := r.rest[:n]
	r.rest = r.rest[n:]
	return piece
}

func (r *reader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) field() []byte {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > uint64(len(r.rest)) {
		r.ok = false
		return nil
	}
	r.take(size)
	return r.take(int(n))
}
