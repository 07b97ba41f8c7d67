package cache

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/portico-bff/portico/schema/commerce"
)

// entityForm changes when what an entity tag is made of does.
const entityForm = "e2"

// Entity is a strong entity tag (RFC 9110, 8.8.3), with its quotes, of what is made of
// sources and of nothing else but what is in seed: equal tags stand for equal seeds and
// equal parts. In seed belongs everything that the bytes depend on beside the parts: the
// representation, what was asked for, the market, the price group, the encoding, for whom
// it is when that is anybody in particular, and the version of what reports no source, as
// carts do. ok is false when there are no sources, or one of them is not fresh, or nobody
// can tell its version: then there is no tag.
func Entity(seed []byte, sources []commerce.Source) (tag string, ok bool) {
	return entityOf(seed, sources)
}

// entityOf is [Entity] of several lists of sources.
func entityOf(seed []byte, lists ...[]commerce.Source) (tag string, ok bool) {
	n := 0
	for _, list := range lists {
		n += len(list)
	}
	sums := make([]uint64, 0, n)
	var room [128]byte
	b := room[:0]
	for _, list := range lists {
		for i := range list {
			part, ok := constituentOf(&list[i])
			if !ok {
				return "", false
			}
			b = part.appendTo(b[:0])
			sums = append(sums, xxhash.Sum64(b))
		}
	}
	if n == 0 {
		return "", false
	}
	// Which of them came first says nothing, nor does how often one was looked at. A sum
	// is as wide as the version in it, which is one itself: numbers are sorted sooner.
	slices.Sort(sums)
	sums = slices.Compact(sums)
	b = make([]byte, 0, len(entityForm)+binary.MaxVarintLen64+len(seed)+8*len(sums))
	b = appendField(append(b, entityForm...), string(seed))
	for _, sum := range sums {
		b = binary.BigEndian.AppendUint64(b, sum)
	}
	const enough = 18 // bytes of the hash
	sum := sha256.Sum256(b)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:enough]) + `"`, true
}

// constituent is what a tag depends on of a part.
type constituent struct {
	operation commerce.Operation
	key       string
	version   uint64
}

func constituentOf(s *commerce.Source) (constituent, bool) {
	if s.Kept == nil || s.State != commerce.StateFresh {
		return constituent{}, false
	}
	part := constituent{s.Operation, s.Key, s.Kept.Version()}
	if asked, ok := s.Kept.(argued); ok && s.Key == "" {
		part.key = asked.args()
	}
	return part, part.version != unwritten
}

// argued is a value that was asked for with arguments, of which its source says nothing: two
// searches for one screen are told apart by them.
type argued interface{ args() string }

func (p constituent) appendTo(b []byte) []byte {
	b = appendField(appendField(b, string(p.operation)), p.key)
	return binary.BigEndian.AppendUint64(b, p.version)
}
