package cache

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc64"
	"io"
	"reflect"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/portico-bff/portico/schema/commerce"
)

// codec turns an operation's values into bytes and back, exactly.
type codec struct {
	written func(any) (any, error)     // what of a value is written; nil for all of it
	write   func(to *sheet, value any) // writes that; nil for encoding/json
	decode  func([]byte) (any, error)
	stored  reflect.Type // what is written
}

// encode writes a value. What it answers is good until the sheet is used again.
func (c *codec) encode(to *sheet, value any) ([]byte, error) {
	to.b, to.err = to.b[:0], nil
	if c.written != nil {
		if value, to.err = c.written(value); to.err != nil {
			return nil, to.err
		}
	}
	if c.write == nil || reflect.TypeOf(value) != c.stored {
		to.b, to.err = json.Marshal(value)
	} else {
		c.write(to, value)
	}
	return to.b, to.err
}

// jsonCodec is for types whose JSON says everything about them.
func jsonCodec[V any]() codec {
	stored := reflect.TypeFor[V]()
	return codec{
		stored: stored,
		write:  penOf(stored),
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
		stored: reflect.TypeFor[[]*commerce.Category](),
		written: func(v any) (any, error) {
			tree, ok := v.(*commerce.CategoryTree)
			if !ok || tree == nil {
				return nil, errors.New("not a category tree")
			}
			return tree.Roots, nil
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

// The form of a stored entry, version 4:
//
//	"PTC", version, flags, length of key, key, began by the writer's clock (ns since 1970, 8 bytes), began by Redis's clock
//	(alike; 0 when not known), the last invalidation that its load knew of
//	(ms and sequence of the stream's ID, 8 bytes each), number of the value's own tags, each with its length before it,
//	length of payload, payload, XXH64 of all before
//
// Up to version 3 the sum was a CRC-64, version 2 did not know Redis's clock; both are read. Version 1 knew no
// invalidations; it is a miss.
const (
	entryMagic     = "PTC"
	entryVersion   = 4
	entryCRC       = 3 // the last version with a CRC
	entryClockless = 2 // the version without Redis's clock
	flagCompressed = 1
	compressFrom   = 4 << 10 // bytes of payload from which compressing pays: it takes more time than all else of a write
	maxStored      = 1 << 20 // bytes of an entry; larger ones stay in memory only
	maxPayload     = 8 << 20 // bytes of a payload once decompressed
	maxStoredTags  = 1000    // of a value; with more it stays in memory only
)

// errCorrupt is anything but what was written for this key in a form that is known.
var errCorrupt = errors.New("stored entry cannot be used")

// sumSize is the length of the sum at an entry's end, in bytes.
const sumSize = 8

var crcTable = crc64.MakeTable(crc64.ECMA)

// sumOf is the sum that stands behind body, the rest of an entry, in the version that body says it is.
func sumOf(body []byte) uint64 {
	if at := len(entryMagic); len(body) > at && body[at] <= entryCRC {
		return crc64.Checksum(body, crcTable)
	}
	return xxhash.Sum64(body)
}

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

// stored is an entry as Redis holds it.
type stored struct {
	payload []byte
	began   time.Time      // by the clock of who wrote it
	redis   time.Time      // alike, by Redis's; zero when not known
	at      version        // the last invalidation its load knew of
	tags    []commerce.Tag // those that only the value tells; the key's come from the key
}

// pack is s, of key, as it is stored.
func (p *packer) pack(key string, s stored) []byte {
	in := &room{}
	p.packInto(in, key, s)
	return in.packed
}

// packInto adds s, of key, to what lies in the room.
func (p *packer) packInto(in *room, key string, s stored) {
	payload, flags := s.payload, byte(0)
	if len(payload) >= compressFrom {
		in.zipped = p.zip.EncodeAll(payload, in.zipped[:0])
		payload, flags = in.zipped, flagCompressed
	}
	from := len(in.packed)
	b := slices.Grow(in.packed, len(entryMagic)+len(key)+len(payload)+60)
	b = append(b, entryMagic...)
	b = append(b, entryVersion, flags)
	b = appendField(b, key)
	b = binary.BigEndian.AppendUint64(b, uint64(s.began.UnixNano()))
	b = binary.BigEndian.AppendUint64(b, nanos(s.redis))
	b = binary.BigEndian.AppendUint64(b, s.at.ms)
	b = binary.BigEndian.AppendUint64(b, s.at.seq)
	b = binary.AppendUvarint(b, uint64(len(s.tags)))
	for _, tag := range s.tags {
		b = appendField(b, string(tag))
	}
	b = binary.AppendUvarint(b, uint64(len(payload)))
	b = append(b, payload...)
	in.packed = binary.BigEndian.AppendUint64(b, sumOf(b[from:]))
}

// unpack reads what is stored under key.
func (p *packer) unpack(key string, raw []byte) (stored, error) {
	if len(raw) < len(entryMagic)+2+sumSize || len(raw) > maxStored {
		return stored{}, errCorrupt
	}
	body, tail := raw[:len(raw)-sumSize], raw[len(raw)-sumSize:]
	if sumOf(body) != binary.BigEndian.Uint64(tail) {
		return stored{}, errCorrupt
	}
	r := reader{rest: body, ok: true}
	magic, form, flags := r.take(len(entryMagic)), r.byte(), r.byte()
	if !r.ok || string(magic) != entryMagic || form < entryClockless || form > entryVersion || flags > flagCompressed {
		return stored{}, errCorrupt
	}
	own := r.field()
	s := stored{began: time.Unix(0, int64(r.number()))}
	if form > entryClockless {
		s.redis = timeOf(r.number())
	}
	s.at, s.tags = version{r.number(), r.number()}, r.tags()
	s.payload = r.field()
	if !r.ok || len(r.rest) > 0 || string(own) != key {
		return stored{}, errCorrupt
	}
	if flags == flagCompressed {
		var err error
		if s.payload, err = p.unzip.DecodeAll(s.payload, nil); err != nil {
			return stored{}, errCorrupt
		}
	}
	return s, nil
}

// nanos is t in ns since 1970, or 0 for the zero time; timeOf is its reverse.
func nanos(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixNano())
}

func timeOf(nanos uint64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, int64(nanos))
}
