package cache

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// maxSurrogates bounds the header that names an answer's tags, in bytes: what the
// usual content delivery networks take.
const maxSurrogates = 16 << 10

// Answer is a whole answer, shared and read-only.
type Answer struct {
	Produced

	entry      *entry        // under which it is kept; nil when it is not
	public     bool          // proven to be for everyone in its market and group
	began      time.Time     // its making; ages count from there
	oldest     time.Duration // age of its oldest part by then
	left       time.Duration // how long from then all of its parts are current; 0 or less: not to be kept
	control    string        // Cache-Control for caches that anyone shares
	surrogates string        // its tags, for a content delivery network
}

// prove makes an answer of what a channel made, and looks whether its sources prove
// that it may be kept: there is at least one, and each is fresh, for everyone in the
// market or price group, and can be invalidated. tags are those of all of them.
func (a *Answers) prove(made Produced, began time.Time) (answer *Answer, tags []commerce.Tag) {
	answer = &Answer{Produced: made, began: began, left: maxAnswerLife}
	answer.public = made.Whole && len(made.Sources) > 0 && len(made.Sources) <= maxAnswerSources
	for i := range made.Sources {
		s := &made.Sources[i]
		answer.public = answer.public && provable(s)
		answer.left, answer.oldest = min(answer.left, s.Fresh), max(answer.oldest, s.Age)
	}
	tags = tagsOf(made.Sources)
	answer.Sources = nil // they were for the proof
	if !answer.public {
		answer.left = 0
		return answer, tags
	}
	answer.Rest = nil
	answer.describe(tags, a.surface)
	return answer, tags
}

func provable(s *commerce.Source) bool {
	return s.State == commerce.StateFresh && s.Reason == "" && s.Scope >= commerce.ScopeSegment && len(s.Tags) > 0
}

func tagsOf(sources []commerce.Source) []commerce.Tag {
	seen := map[commerce.Tag]bool{}
	var tags []commerce.Tag
	for i := range sources {
		for _, tag := range sources[i].Tags {
			if !seen[tag] {
				seen[tag] = true
				tags = append(tags, tag)
			}
		}
	}
	slices.Sort(tags)
	return tags
}

// describe writes the answer's headers once, for all who get it.
func (a *Answer) describe(tags []commerce.Tag, surface bool) {
	life := (a.oldest + max(a.left, 0)) / time.Second
	a.control = "public, max-age=" + strconv.Itoa(int(life))
	if !surface {
		return
	}
	total := len(tags)
	for _, tag := range tags {
		total += len(tag)
	}
	if total > maxSurrogates {
		a.control += ", s-maxage=0" // what cannot be purged is not for shared caches
		return
	}
	var b strings.Builder
	b.Grow(total)
	for i, tag := range tags {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(tag))
	}
	a.surrogates = b.String()
}

// Public tells whether the answer was proven to be the same for everyone in its market
// and price group.
func (a *Answer) Public() bool { return a.public }

// Control is the Cache-Control of an answer that is public, for someone who is not
// signed in: its max-age counts from when its oldest part left its system, so that
// what is left is max-age minus Age.
func (a *Answer) Control() string { return a.control }

// Age is the age of the oldest part in whole seconds, rounded up: nobody keeps the
// answer for longer than it lasts.
func (a *Answer) Age() int {
	age := a.oldest + max(0, time.Since(a.began))
	return int((age + time.Second - 1) / time.Second)
}

// Surrogates are the answer's tags with a space between them, for the header
// Surrogate-Key; empty when they are not to be told or too many.
func (a *Answer) Surrogates() string { return a.surrogates }
