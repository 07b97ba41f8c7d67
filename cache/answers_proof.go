package cache

import (
	"strconv"
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
	seeded bool          // whether its entity is made of its parts'
	public bool          // proven to be for everyone in its market and group
	began  time.Time     // its making; ages count from there
	oldest time.Duration // age of its oldest part by then
	left   time.Duration // how long from then all of its parts are current; 0 or less: not to be kept

	// Set when the answer is public.
	tags   tagText  // of all of its parts
	fields []Field  // what caches are told
	length []string // of the body

	// Room for them, in one piece with the answer.
	field  [2]Field
	values [3]string
}

// Prove makes an answer of what a channel made, from began on, and looks whether its
// sources prove that it may be kept by others: there is at least one, and each is
// fresh, for everyone in the market or price group, and can be invalidated. surrogates
// is the bound of the header that names its tags, in bytes; 0 names none. The answer
// is kept nowhere.
func Prove(made Produced, began time.Time, surrogates int) *Answer {
	answer := &Answer{Produced: made, began: began, left: maxAnswerLife}
	sources := len(made.Sources)
	for _, list := range made.Lists {
		sources += len(list)
	}
	answer.public = made.Whole && sources > 0 && sources <= maxAnswerSources
	answer.take(made.Sources)
	for _, list := range made.Lists {
		answer.take(list)
	}
	answer.entitle(&made)
	answer.Sources, answer.Lists, answer.Spent, answer.Seed = nil, nil, nil, nil // they were for the proof, and for who waits
	if !answer.public {
		answer.left = 0
		return answer
	}
	answer.tags = tagsOf(&made, surrogates)
	answer.Rest = nil
	answer.values[0] = strconv.Itoa(len(answer.Body))
	answer.length = answer.values[:1:1]
	answer.describe(surrogates)
	return answer
}

// entitle has the answer's entity made of its parts' versions, if that is asked for and can be.
func (a *Answer) entitle(made *Produced) {
	if made.Seed == nil || !made.Whole {
		return
	}
	if tag, ok := entityOf(made.Seed, append([][]commerce.Source{made.Sources}, made.Lists...)...); ok {
		entity := []string{tag}
		a.Entity, a.seeded = func() []string { return entity }, true
	}
}

// take looks at what the answer is made of, too.
func (a *Answer) take(sources []commerce.Source) {
	for i := range sources {
		s := &sources[i]
		a.public = a.public && provable(s)
		a.left, a.oldest = min(a.left, s.Fresh), max(a.oldest, s.Age)
	}
}

// tagsOf are the tags of all sources.
func tagsOf(made *Produced, most int) tagText {
	set, _ := tagSets.Get().(*tagSet)
	defer set.giveBack()
	set.addAll(made.Sources)
	for _, list := range made.Lists {
		set.addAll(list)
	}
	return set.text(most)
}

func provable(s *commerce.Source) bool {
	return s.State == commerce.StateFresh && s.Reason == "" && s.Scope >= commerce.ScopeSegment && len(s.Tags) > 0
}

// describe writes the answer's header once, for all who get it. room is the bytes there
// are for its tags; 0 says that nobody purges by them.
func (a *Answer) describe(room int) {
	control := maxAge(a.oldest, max(a.left, 0))
	purged := room > 0 && len(a.tags) <= room
	a.fields = a.field[:0]
	if room == 0 || purged {
		a.tell("Cache-Control", "public, "+control)
	} else { // what nobody can purge is not for caches that people share; a word that all of them know says so
		a.tell("Cache-Control", "private, "+control)
	}
	if purged {
		a.tell("Surrogate-Key", string(a.tags))
	}
}

// maxAge counts from when the oldest part left its system.
func maxAge(oldest, left time.Duration) string {
	return "max-age=" + strconv.Itoa(int((oldest+left)/time.Second))
}

// tell adds a field to what caches are told.
func (a *Answer) tell(name, value string) {
	n := 1 + len(a.fields)
	a.values[n] = value
	a.fields = append(a.fields, Field{name, value, a.values[n : n+1 : n+1]})
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
func (a *Answer) Age() int { return a.ageAt(time.Now()) }

func (a *Answer) ageAt(now time.Time) int {
	return ageOf(a.oldest + max(0, now.Sub(a.began)))
}

func ageOf(age time.Duration) int { return int((age + time.Second - 1) / time.Second) }

// ageFields are written ahead, since every hit needs one.
var ageFields = func() (list [1024]Field) {
	for age := range list {
		list[age] = fieldOf("Age", strconv.Itoa(age))
	}
	return list
}()

// AgeField is [Answer.Age] for the header.
func (a *Answer) AgeField() Field { return a.AgeFieldAt(time.Now()) }

// AgeFieldAt is [Answer.AgeField] at a time that is known already.
func (a *Answer) AgeFieldAt(now time.Time) Field {
	return ageField(a.ageAt(now))
}

func ageField(age int) Field {
	if age < len(ageFields) {
		return ageFields[age]
	}
	return fieldOf("Age", strconv.Itoa(age))
}

// headerBytes is what the fields and the tags take, about. The list of tags that is told
// is that of the answer.
func (a *Answer) headerBytes() int {
	const entity = 160 // once it is made: its text, a list of one, and what makes it
	total := len(a.fields[0].Value) + len(a.length[0]) + len(a.tags)
	if a.Entity != nil {
		total += entity
	}
	return total
}
