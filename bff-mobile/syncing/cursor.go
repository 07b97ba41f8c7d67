package syncing

import (
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"strings"

	"github.com/portico-bff/portico/edge/events"
	"github.com/portico-bff/portico/schema/commerce"
)

// A cursor's first byte says what it is and by its lower half which form what is told
// has: a copy in another form has to be made anew.
const (
	mark     = 0xC0
	markMask = 0xF0
	form     = mark | 1
)

// maxCursor is how long a cursor may be as text.
const maxCursor = 512

// mode says what an app is told.
type mode byte

const (
	walking mode = 1 // all there is
	tailing mode = 2 // what changed
)

// phase is which part of a walk comes next, in this order.
type phase byte

const (
	categories phase = 1
	pages      phase = 2
	products   phase = 3
)

// cursor is how far an app came.
type cursor struct {
	mode   mode
	market uint64       // what it is told is of this one
	at     events.Place // changes from here on are still to be told
	skip   uint64       // tailing: tags of the change behind the place that were told
	phase  phase        // walking
	after  string       // walking: the last one told of the phase, or nothing
}

// marketOf is a market as cursors know it: what is told does not depend on the currency.
func marketOf(m commerce.Market) uint64 {
	sum := fnv.New64a()
	for _, part := range []string{m.Channel, m.Locale, m.Country} {
		var size [binary.MaxVarintLen64]byte
		_, _ = sum.Write(size[:binary.PutUvarint(size[:], uint64(len(part)))])
		_, _ = sum.Write([]byte(part))
	}
	return sum.Sum64()
}

// String is the cursor as an app gets it. It is no secret: it opens nothing that is not
// told to everyone.
func (c cursor) String() string {
	b := make([]byte, 0, 64+len(c.after))
	b = append(b, form, byte(c.mode))
	b = binary.BigEndian.AppendUint64(b, c.market)
	b = binary.BigEndian.AppendUint64(b, c.at.Epoch)
	for _, n := range []uint64{c.at.Ms, c.at.Seq, c.at.Seen} {
		b = binary.AppendUvarint(b, n)
	}
	if c.mode == tailing {
		b = binary.AppendUvarint(b, c.skip)
	} else {
		b = append(b, byte(c.phase))
		b = append(binary.AppendUvarint(b, uint64(len(c.after))), c.after...)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// strict refuses what no cursor of ours is written like.
var strict = base64.RawURLEncoding.Strict()

// parse reads what [cursor.String] wrote, and nothing else. What is in another form is
// [events.ErrExpired].
func parse(text string) (cursor, error) {
	if len(text) > maxCursor {
		return cursor{}, malformed()
	}
	b, err := strict.DecodeString(text)
	if err != nil || len(b) == 0 || b[0]&markMask != mark || strings.ContainsAny(text, "\r\n") {
		return cursor{}, malformed()
	}
	if b[0] != form {
		return cursor{}, events.ErrExpired
	}
	r := reader{rest: b[1:]}
	c := cursor{mode: mode(r.octet()), market: r.word()}
	c.at = events.Place{Epoch: r.word(), Ms: r.number(), Seq: r.number(), Seen: r.number()}
	switch c.mode {
	case walking:
		c.phase = phase(r.octet())
		c.after = r.text()
		r.bad = r.bad || c.phase < categories || c.phase > products
	case tailing:
		c.skip = r.number()
	default:
		r.bad = true
	}
	if r.bad || len(r.rest) > 0 || c.String() != text {
		return cursor{}, malformed()
	}
	return c, nil
}

func malformed() error {
	return &commerce.InputError{Field: "since", Code: commerce.CodeInvalid, Message: "must be the next of an answer before"}
}

// reader takes a cursor apart; once something is missing it is bad.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.bad = true
		r.rest = nil
		return make([]byte, min(n, binary.MaxVarintLen64))
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) octet() byte { return r.take(1)[0] }

func (r *reader) word() uint64 {
	const size = 8
	return binary.BigEndian.Uint64(r.take(size))
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) text() string {
	n := r.number()
	if r.bad || n > uint64(len(r.rest)) {
		r.bad = true
		return ""
	}
	return string(r.take(int(n))) //nolint:gosec // no more than there is
}
