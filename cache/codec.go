package cache

import (
	"encoding/binary"
	"errors"
	"reflect"
	"time"
	"unsafe"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/portico-bff/portico/schema/commerce"
)

// codec turns an operation's values into bytes and back, exactly.
type codec struct {
	stored reflect.Type               // what is written
	write  func(to *sheet, value any) // adds that to what is on the sheet
	read   func(text string) (any, error)
}

var errShape = errors.New("not a value that is stored")

// codecOf is for values of V, which are pointers or lists. A type without a [shape] is refused
// whenever one is to be written or read.
func codecOf[V any]() codec {
	stored := reflect.TypeFor[V]()
	s := shapeOf(stored)
	return codec{
		stored: stored,
		write: func(to *sheet, value any) {
			v := reflect.ValueOf(value)
			switch {
			case s == nil || v.Type() != stored:
				to.err = errShape
			case v.IsNil():
				to.err = errNoValue
			case s.kind == ofPointer:
				to.b = s.appendPointed(to.b, v.UnsafePointer())
			default:
				to.b = s.appendList(to.b, v.UnsafePointer(), v.Len())
			}
		},
		read: func(text string) (any, error) {
			var v V
			if s == nil {
				return nil, errShape
			}
			from := script{rest: text}
			from.value(s, unsafe.Pointer(&v))
			if from.bad || from.rest != "" || reflect.ValueOf(v).IsNil() {
				return nil, errCorrupt
			}
			return v, nil
		},
	}
}

// treeCodec stores the roots only: the index is made of them.
func treeCodec() codec {
	form := codecOf[[]*commerce.Category]()
	return codec{
		stored: form.stored,
		write: func(to *sheet, value any) {
			if tree, ok := value.(*commerce.CategoryTree); ok && tree != nil {
				form.write(to, tree.Roots)
			} else {
				to.err = errShape
			}
		},
		read: func(text string) (any, error) {
			value, err := form.read(text)
			if err != nil {
				return nil, err
			}
			roots, ok := value.([]*commerce.Category)
			if !ok || !whole(roots) {
				return nil, errCorrupt
			}
			return commerce.NewCategoryTree(roots), nil
		},
	}
}

// whole tells whether every node is there.
func whole(list []*commerce.Category) bool {
	for _, c := range list {
		if c == nil || !whole(c.Children) {
			return false
		}
	}
	return true
}

// The form of a stored entry, version 5:
//
//	"PTC", version, flags, length of key, key, began by the writer's clock (ns since 1970, 8 bytes), began by Redis's clock
//	(alike; 0 when not known), the last invalidation that its load knew of
//	(ms and sequence of the stream's ID, 8 bytes each), number of the value's own tags, each with its length before it,
//	payload, XXH64 of all before
//
// Up to version 4 payloads were JSON, under other keys; they are misses.
const (
	entryMagic     = "PTC"
	entryVersion   = 5
	flagCompressed = 1
	compressFrom   = 16 << 10 // bytes of payload from which compressing pays: it takes more time than all else of a write
	maxStored      = 1 << 20  // bytes of an entry; larger ones stay in memory only
	maxPayload     = 8 << 20  // bytes of a payload once decompressed
	maxStoredTags  = 1000     // of a value; with more it stays in memory only
)

// errCorrupt is anything but what was written for this key in a form that is known.
var errCorrupt = errors.New("stored entry cannot be used")

// sumSize is the length of the sum at an entry's end, in bytes.
const sumSize = 8

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
	begun := in.begin(key, s)
	in.packed.b = append(in.packed.b, s.payload...)
	p.end(in, begun)
	return in.packed.b
}

// begun is where an entry begins, and where its payload does.
type begun struct{ entry, payload int }

// begin adds to what lies in the room what of s, of key, stands before its payload.
func (r *room) begin(key string, s stored) (at begun) {
	at.entry = len(r.packed.b)
	b := append(r.packed.b, entryMagic...)
	b = append(b, entryVersion, 0)
	b = appendField(b, key)
	b = binary.BigEndian.AppendUint64(b, uint64(s.began.UnixNano()))
	b = binary.BigEndian.AppendUint64(b, nanos(s.redis))
	b = binary.BigEndian.AppendUint64(b, s.at.ms)
	b = binary.BigEndian.AppendUint64(b, s.at.seq)
	b = binary.AppendUvarint(b, uint64(len(s.tags)))
	for _, tag := range s.tags {
		b = appendField(b, string(tag))
	}
	r.packed.b, at.payload = b, len(b)
	return at
}

// end ends the entry that was begun, once its payload lies there.
func (p *packer) end(in *room, at begun) {
	b := in.packed.b
	if payload := b[at.payload:]; len(payload) >= compressFrom {
		in.zipped = p.zip.EncodeAll(payload, in.zipped[:0])
		b = append(b[:at.payload], in.zipped...)
		b[at.entry+len(entryMagic)+1] = flagCompressed
	}
	in.packed.b = binary.BigEndian.AppendUint64(b, xxhash.Sum64(b[at.entry:]))
}

// unpack reads what is stored under key.
func (p *packer) unpack(key string, raw []byte) (stored, error) {
	if len(raw) < len(entryMagic)+2+sumSize || len(raw) > maxStored {
		return stored{}, errCorrupt
	}
	body, tail := raw[:len(raw)-sumSize], raw[len(raw)-sumSize:]
	if xxhash.Sum64(body) != binary.BigEndian.Uint64(tail) {
		return stored{}, errCorrupt
	}
	r := reader{rest: body, ok: true}
	magic, form, flags := r.take(len(entryMagic)), r.byte(), r.byte()
	if !r.ok || string(magic) != entryMagic || form != entryVersion || flags > flagCompressed {
		return stored{}, errCorrupt
	}
	own := r.field()
	s := stored{began: time.Unix(0, int64(r.number())), redis: timeOf(r.number())}
	s.at, s.tags = version{r.number(), r.number()}, r.tags()
	s.payload = r.rest
	if !r.ok || string(own) != key {
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
