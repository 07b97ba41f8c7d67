package cache

import (
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/schema/commerce"
)

// What is weighed is all that is held: the room of a list, too, and what an answer is made of.
func TestTheRoomOfTagsIsWeighed(t *testing.T) {
	t.Parallel()
	tags := append(make([]commerce.Tag, 0, 8), "all", "sku:A")
	e := newEntry(nil, time.Now(), Policy{Fresh: time.Minute}).tagged(tags, stamp{})
	e.weigh("key")
	assert.EqualValues(t, overhead+len("key")+8*int(unsafe.Sizeof(tags[0]))+len("all")+len("sku:A"), e.size)
	assert.GreaterOrEqual(t, int(answerWords), int(unsafe.Sizeof(Answer{})))
}

func TestTagsOfAKeyAreThoseOfItsTemplates(t *testing.T) {
	t.Parallel()
	for op := range policies {
		for _, subject := range []string{"BK-R93R-62", "not visible: ü", ""} {
			r := &request{plan: &plan{tags: templatesOf(op, "system")}, wish: &batchWish[string, int]{
				batch: &batch[string, int]{about: func(key string) string { return key }}, keys: []string{subject},
			}}
			for n, tag := range r.tags(0) {
				assert.Equal(t, r.plan.tags[n].of(subject), tag, "%s of %q", op, subject)
			}
		}
	}
}
