package cache

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	newsPage     = 1000 // entries read at once, at most
	tagsPerEntry = 500
	entryBytes   = 8 << 10 // of an entry's tags: with [newsLength] it bounds the stream
)

// item is an entry of the stream.
type item struct {
	at   version
	tags []commerce.Tag
	own  bool
}

// page reads from the last entry taken, which comes first in the answer, or from the
// beginning; more says that there may be.
func (n *news) page(ctx context.Context) (items []item, more bool, err error) {
	from, count := "-", n.size
	if !n.at.zero() {
		from, count = n.at.String(), n.size+1
	}
	ctx, cancel := context.WithTimeout(ctx, newsPatience)
	defer cancel()
	asked := time.Now()
	list, err := n.reader.XRangeN(ctx, newsStream, from, "+", int64(count)).Result()
	n.resize(time.Since(asked), err)
	if err != nil {
		return nil, false, err
	}
	items = make([]item, len(list))
	for i, m := range list {
		at, ok := parseVersion(m.ID)
		if !ok {
			return nil, false, errors.New("XRANGE failed")
		}
		node, _ := m.Values[fieldNode].(string)
		text, known := m.Values[fieldTags].(string)
		items[i] = item{at: at, own: node == n.node}
		if !known {
			text = string(commerce.TagAll) // another release's: whatever it says is in it
		}
		for tag := range strings.FieldsSeq(text) {
			items[i].tags = append(items[i].tags, commerce.Tag(tag))
		}
	}
	return items, len(list) == count, nil
}

// resize asks for half as much after what did not come in time, and for more again after
// what came soon: after a mass import a slow connection takes smaller pages, instead of
// the same one for ever.
func (n *news) resize(took time.Duration, err error) {
	switch {
	case err == nil && took < newsPatience/4:
		n.size = min(newsPage, 2*n.size)
	case err != nil && redisReason(err) == "timeout":
		n.size = max(1, n.size/2)
	}
}

// entriesFor cuts tags into what one entry of the stream holds, in their order.
func entriesFor(tags []commerce.Tag) iter.Seq[[]commerce.Tag] {
	return func(yield func([]commerce.Tag) bool) {
		for len(tags) > 0 {
			n, size := 1, len(tags[0])
			for n < min(len(tags), tagsPerEntry) && size+1+len(tags[n]) <= entryBytes {
				size += 1 + len(tags[n])
				n++
			}
			if !yield(tags[:n:n]) {
				return
			}
			tags = tags[n:]
		}
	}
}

// answerKinds are the kinds of tags that answers have.
var answerKinds = sync.OnceValue(func() map[string]bool {
	kinds := map[string]bool{kindOf(commerce.TagCategory("")): true} // which values tell
	for op := range policies {
		for _, t := range templatesOf(op, "") {
			kinds[kindOf(t.of(""))] = true
		}
	}
	return kinds
})

func kindOf(tag commerce.Tag) string {
	kind, _, _ := strings.Cut(string(tag), ":")
	return kind
}

// referenceFirst puts those that no answer has, of what connectors keep of their
// systems, before the others: who loads between two pieces makes nothing of old
// reference data that the rest does not drop.
func referenceFirst(tags map[commerce.Tag]struct{}) []commerce.Tag {
	first, rest := make([]commerce.Tag, 0, len(tags)), []commerce.Tag{}
	for tag := range tags {
		if answerKinds()[kindOf(tag)] {
			rest = append(rest, tag)
		} else {
			first = append(first, tag)
		}
	}
	return append(first, rest...)
}
