package cache

import (
	"cmp"
	"slices"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// Tagged is what this process keeps that was made of what a tag names, the largest
// first. No value is in it, nor what a client asked for, nor anything about a person.
type Tagged struct {
	Tag     commerce.Tag  `json:"tag"`
	Entries []TaggedState `json:"entries"`
	Answers []TaggedState `json:"answers"`
	More    int           `json:"more,omitempty"` // entries and answers beyond those
}

// TaggedState is one entry in memory, or one whole answer.
type TaggedState struct {
	Operation  commerce.Operation  `json:"operation,omitempty"` // of an entry
	Channel    string              `json:"channel,omitempty"`   // of an answer
	Name       string              `json:"name,omitempty"`      // what an answer's operation is called; may be empty
	Market     string              `json:"market"`              // as in [EntryState]
	Group      commerce.PriceGroup `json:"group,omitempty"`
	Alive      bool                `json:"alive"`
	Dead       string              `json:"dead,omitempty"` // why; what is too old to be fresh may still stand in
	AgeMs      int64               `json:"ageMs"`
	FreshUntil time.Time           `json:"freshUntil"`
	Bytes      uint32              `json:"bytes"` // estimated
}

// Tagged looks for tag in memory and in answers, which may be nil, in time that grows
// with what they hold. It does not look into Redis, which is not searched by tags.
func (c *Cache) Tagged(tag commerce.Tag, answers *Answers) Tagged {
	told := Tagged{Tag: tag, Entries: []TaggedState{}, Answers: []TaggedState{}}
	c.memory.each(func(text string, e *entry) {
		k, ok := readKey(text)
		if !ok || k.scope < commerce.ScopeSegment || !slices.Contains(e.tags, tag) {
			return
		}
		s := c.taggedState(e, e.tags)
		s.Operation, s.Market, s.Group = k.operation, marketText(k.market), k.group
		told.Entries = append(told.Entries, s)
	})
	if answers != nil {
		for text, k := range answers.table.All() {
			answer, _ := k.value.(*Answer)
			if answer == nil || answer.entry != k {
				continue // another way to ask for an answer is not another answer
			}
			tags := slices.Collect(answer.tags.all())
			if !slices.Contains(tags, tag) {
				continue
			}
			s := c.taggedState(k, tags)
			s.Name = answer.Name
			s.Channel, s.Market, s.Group = readQuestion(text)
			told.Answers = append(told.Answers, s)
		}
	}
	for _, list := range []*[]TaggedState{&told.Entries, &told.Answers} {
		slices.SortStableFunc(*list, func(a, b TaggedState) int { return cmp.Compare(b.Bytes, a.Bytes) })
		if extra := len(*list) - maxExplained; extra > 0 {
			*list, told.More = (*list)[:maxExplained], told.More+extra
		}
	}
	return told
}

func (c *Cache) taggedState(e *entry, tags []commerce.Tag) TaggedState {
	now := time.Now()
	age := e.age(now)
	s := TaggedState{
		AgeMs: age.Milliseconds(), Bytes: e.size,
		FreshUntil: now.Add(e.fresh - age).Round(0).UTC().Truncate(time.Millisecond),
		Dead:       c.tags.why(tags, func(m mark) bool { return m.local > e.stamp.local }),
	}
	if s.Dead == "" && age >= e.fresh {
		s.Dead = "too old to be fresh"
	}
	s.Alive = s.Dead == ""
	return s
}

// readQuestion is where a question written as text was asked, without what was asked.
func readQuestion(text string) (channel, market string, group commerce.PriceGroup) {
	if text == "" || text[0] != answerForm {
		return "", "", ""
	}
	var fields [6]string
	text = text[1:]
	for i := range fields {
		fields[i], text, _ = cutField(text)
	}
	m := commerce.Market{Channel: fields[1], Locale: fields[2], Currency: fields[3], Country: fields[4]}
	return fields[0], marketText(m), commerce.PriceGroup(fields[5])
}
