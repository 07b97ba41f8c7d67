package cache

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// maxSurrogates is the largest bound of the header that names an answer's tags, in
// bytes: what the usual content delivery networks take.
const maxSurrogates = 16 << 10

// Field is a field of an answer's header. It is shared and read-only.
type Field struct {
	Name, Value string
	Values      []string // Value alone, as net/http has it
}

func fieldOf(name, value string) Field { return Field{name, value, []string{value}} }

// Answer is a whole answer, shared and read-only.
type Answer struct {
	Produced

	entry  *entry        // in which it is kept; nil when it is not
	key    string        // under which it is
	public bool          // proven to be for everyone in its market and group
	began  time.Time     // its making; ages count from there
	oldest time.Duration // age of its oldest part by then
	left   time.Duration // how long from then all of its parts are current; 0 or less: not to be kept
	fields []Field       // what caches are told, when the answer is public
	length []string      // of the body, alike
}

// Prove makes an answer of what a channel made, from began on, and looks whether its
// sources prove that it may be kept by others: there is at least one, and each is
// fresh, for everyone in the market or price group, and can be invalidated. surrogates
// is the bound of the header that names its tags, in bytes; 0 names none. The answer
// is kept nowhere.
func Prove(made Produced, began time.Time, surrogates int) *Answer {
	answer, _ := prove(made, began, surrogates)
	return answer
}

// prove is [Prove] with the tags of all sources, if the answer is public.
func prove(made Produced, began time.Time, room int) (answer *Answer, tags []commerce.Tag) {
	answer = &Answer{Produced: made, began: began, left: maxAnswerLife}
	answer.public = made.Whole && len(made.Sources) > 0 && len(made.Sources) <= maxAnswerSources
	for i := range made.Sources {
		s := &made.Sources[i]
		answer.public = answer.public && provable(s)
		answer.left, answer.oldest = min(answer.left, s.Fresh), max(answer.oldest, s.Age)
	}
	answer.Sources, answer.Spent = nil, nil // they were for the proof, and for who waits
	if !answer.public {
		answer.left = 0
		return answer, nil
	}
	tags = tagsOf(made.Sources)
	answer.Rest = nil
	answer.length = []string{strconv.Itoa(len(answer.Body))}
	answer.describe(tags, room)
	return answer, tags
}

func provable(s *commerce.Source) bool {
	return s.State == commerce.StateFresh && s.Reason == "" && s.Scope >= commerce.ScopeSegment && len(s.Tags) > 0
}

// tagsOf are the tags of all sources, each once, in no order.
func tagsOf(sources []commerce.Source) []commerce.Tag {
	const (
		own        = 2 // tags that a source has and no other: that of its key, and seldom another
		sharedTags = 8 // those that several have
	)
	set := tagSet{list: make([]commerce.Tag, 0, own*len(sources)+sharedTags)}
	var last []commerce.Tag
	for i := range sources {
		tags := sources[i].Tags
		for n, tag := range tags {
			// Those of an operation and its system end the list, the same for neighbours.
			if back := len(last) - len(tags) + n; back < 0 || last[back] != tag {
				set.add(tag)
			}
		}
		last = tags
	}
	return set.list
}

// tagSet is a list that has each tag once.
type tagSet struct {
	list  []commerce.Tag
	known map[commerce.Tag]struct{} // those in it, once there are many
}

// fewTags are sooner looked through than looked up.
const fewTags = 32

func (s *tagSet) add(tag commerce.Tag) {
	if len(s.list) < fewTags {
		if !slices.Contains(s.list, tag) {
			s.list = append(s.list, tag)
		}
		return
	}
	if s.known == nil {
		s.known = make(map[commerce.Tag]struct{}, cap(s.list))
		for _, tag := range s.list {
			s.known[tag] = struct{}{}
		}
	}
	if _, known := s.known[tag]; !known {
		s.known[tag] = struct{}{}
		s.list = append(s.list, tag)
	}
}

// describe writes the answer's header once, for all who get it. room is the bytes there
// are for its tags; 0 says that nobody purges by them.
func (a *Answer) describe(tags []commerce.Tag, room int) {
	control := "max-age=" + strconv.Itoa(int((a.oldest+max(a.left, 0))/time.Second))
	length := len(tags) - 1
	for _, tag := range tags {
		length += len(tag)
	}
	switch {
	case room == 0:
		a.fields = []Field{fieldOf("Cache-Control", "public, "+control)}
	case length > room:
		// What nobody can purge is not for caches that people share; a word that all of them know says so.
		a.fields = []Field{fieldOf("Cache-Control", "private, "+control)}
	default:
		a.fields = []Field{fieldOf("Cache-Control", "public, "+control), fieldOf("Surrogate-Key", listed(tags, length))}
	}
}

// listed puts tags in order and is them with a space between them, which takes so many bytes.
func listed(tags []commerce.Tag, length int) string {
	var b strings.Builder
	b.Grow(length)
	slices.Sort(tags)
	for i, tag := range tags {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(tag))
	}
	return b.String()
}

// Public tells whether the answer was proven to be the same for everyone in its market
// and price group.
func (a *Answer) Public() bool { return a.public }

// Fields are the header of an answer that is public, beside its [Answer.AgeField], for
// someone who is not signed in. The max-age of its Cache-Control counts from when the
// oldest part left its system, so that what is left is max-age minus Age. Surrogate-Key
// has its tags, unless they are not to be told or too many: then the answer is not for
// caches that people share.
func (a *Answer) Fields() []Field { return a.fields }

// Length is the length of the body of an answer that is public, as net/http has it in a
// header. It is shared and read-only.
func (a *Answer) Length() []string { return a.length }

// Age is the age of the oldest part in whole seconds, rounded up: nobody keeps the
// answer for longer than it lasts.
func (a *Answer) Age() int {
	age := a.oldest + max(0, time.Since(a.began))
	return int((age + time.Second - 1) / time.Second)
}

// ageFields are written ahead, since every hit needs one.
var ageFields = func() (list [1024]Field) {
	for age := range list {
		list[age] = fieldOf("Age", strconv.Itoa(age))
	}
	return list
}()

// AgeField is [Answer.Age] for the header.
func (a *Answer) AgeField() Field {
	age := a.Age()
	if age < len(ageFields) {
		return ageFields[age]
	}
	return fieldOf("Age", strconv.Itoa(age))
}

// headerBytes is what the fields take, about.
func (a *Answer) headerBytes() int {
	const words = 64 // of a Field and its list
	total := 0
	for _, f := range a.fields {
		total += words + len(f.Value)
	}
	for _, tag := range a.Entity {
		total += words + len(tag)
	}
	return total
}
