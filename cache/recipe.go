package cache

import (
	"encoding/binary"
	"math"
	"strings"
	"time"
	"unsafe"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	// maxRecipeLife bounds how long it is remembered what an answer was made of.
	maxRecipeLife = 15 * time.Minute
	// recipeShare is the part of the memory for answers that is for their recipes, once there are any.
	recipeShare = 8
)

// recipe is what an answer was made of, without the answer: as long as each part is what it
// was, the answer would be the same again, and whoever has it need not be given it. Parts are
// written small, and hold nothing of what lies in memory.
type recipe struct {
	entity []string
	of     any
	name   string
	shared string  // how Cache-Control begins
	purged []Field // Surrogate-Key, where it is told
	groups []group
	texts  string // the parts' arguments, one behind the other
	parts  []ingredient
}

// group is what the parts' keys begin with that one operation answered.
type group struct {
	plan   *plan
	prefix string
}

// ingredient is a part.
type ingredient struct {
	version uint64
	until   uint32 // where its arguments end in the texts; they begin where those before end
	group   uint16
}

// recipeOf is what answer, which was proven, was made of; nil unless each part is one that
// memory may keep.
func recipeOf(answer *Answer, made *Produced) *recipe {
	r := &recipe{entity: answer.Entity(), of: answer.Of, name: answer.Name}
	for _, f := range answer.fields[1:] {
		r.purged = append(r.purged, fieldOf(f.Name, f.Value)) // the answer's own lies in one piece with it
	}
	r.shared, _, _ = strings.Cut(answer.fields[0].Value, "max-age=")
	lists, parts := append([][]commerce.Source{made.Sources}, made.Lists...), 0
	for _, list := range lists {
		parts += len(list)
	}
	r.parts = make([]ingredient, 0, parts)
	texts := make([]byte, 0, 256)
	for _, list := range lists {
		for i := range list {
			e, ok := list[i].Kept.(*entry)
			if !ok || e.plan == nil {
				return nil
			}
			group, ok := r.groupOf(e)
			if !ok {
				return nil
			}
			texts = append(texts, e.key[len(r.groups[group].prefix):]...)
			r.parts = append(r.parts, ingredient{e.Version(), uint32(len(texts)), uint16(group)})
		}
	}
	r.texts = string(texts)
	return r
}

// groupOf is the place of e's group, which is made when it is the first of it.
func (r *recipe) groupOf(e *entry) (at int, ok bool) {
	if last := len(r.groups) - 1; last >= 0 && r.groups[last].plan == e.plan && strings.HasPrefix(e.key, r.groups[last].prefix) {
		return last, true // mostly; where a prefix ends is in it
	}
	prefix := e.key[:prefixLength(e.key)]
	for i := range r.groups {
		if r.groups[i].plan == e.plan && r.groups[i].prefix == prefix {
			return i, true
		}
	}
	r.groups = append(r.groups, group{e.plan, strings.Clone(prefix)})
	return len(r.groups) - 1, len(r.groups) <= math.MaxUint16
}

// size is what r takes, in bytes, about.
func (r *recipe) size() uint32 {
	total := int(unsafe.Sizeof(*r)) + len(r.texts) + cap(r.parts)*int(unsafe.Sizeof(ingredient{})) +
		cap(r.groups)*int(unsafe.Sizeof(group{})) + cap(r.purged)*int(unsafe.Sizeof(Field{}))
	for i := range r.groups {
		total += len(r.groups[i].prefix)
	}
	for _, f := range r.purged {
		total += len(f.Value)
	}
	for _, tag := range r.entity {
		total += len(tag)
	}
	return uint32(total)
}

// recipes is the memory for recipes, made when there is the first: a channel whose answers
// have no seeds keeps all of it for answers.
func (a *Answers) recipesMade() (*table, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.recipes.Load(); t != nil {
		return t, nil
	}
	share := a.budget / recipeShare
	t, err := newTable(share, a.cache.memory.clock, func(string) {})
	if err != nil {
		return nil, err
	}
	a.table.SetMaximum(uint64(liveBytes(a.budget - share)))
	a.recipes.Store(&t)
	return &t, nil
}

// remember keeps what answer, which lies under key, was made of.
func (a *Answers) remember(key string, p *production, made *Produced) {
	answer := p.answer
	if made.Seed == nil || answer.Entity == nil || answer.left <= 0 {
		return
	}
	r := recipeOf(answer, made)
	if r == nil {
		return
	}
	t, err := a.recipesMade()
	if err != nil {
		return // answers are made anew then
	}
	e := &entry{value: r, began: p.began, fresh: maxRecipeLife, size: overhead + uint32(len(key)) + r.size()}
	t.set(key, e, maxRecipeLife)
}

// Proof tells that an answer, of which nothing else is left, would be the same if it were
// made now. It is read-only.
type Proof struct {
	recipe *recipe
	age    int // of the oldest part, as told: see Answer.Age
	field  [2]Field
	value  [1]string
}

// Proof looks whether all that q was last answered with is as it was: each part lies in
// memory, current, alive and of the same version. It is nil when not, and when that is not
// known. Nothing is asked of anybody, and nothing is made. It is not counted: whoever answers
// with it counts it as [Proven].
func (a *Answers) Proof(q *Question) *Proof {
	if a == nil || a.recipes.Load() == nil {
		return nil
	}
	return a.proofAt(q.key(), time.Now())
}

// ProofLetters is [Answers.Proof] of what is asked by a request's letters, at now, if an
// answer was found under them before; see [Answers.AliasLetters].
func (a *Answers) ProofLetters(letters []byte, now time.Time) *Proof {
	if a == nil || a.recipes.Load() == nil || len(letters) == 0 || letters[0] != lettersForm {
		return nil
	}
	return a.proofAt(view(letters), now)
}

func (a *Answers) proofAt(key string, now time.Time) *Proof {
	recipes := a.recipes.Load()
	e := recipes.get(key)
	if e == nil {
		named := a.table.get(key)
		if named == nil {
			return nil
		}
		of, ok := named.value.(alias)
		if !ok {
			return nil
		}
		if e = recipes.get(string(of)); e == nil {
			return nil
		}
	}
	r, _ := e.value.(*recipe)
	if r == nil || e.age(now) >= maxRecipeLife {
		return nil
	}
	return a.cache.prove(r, now)
}

// prove looks at each part of r.
func (c *Cache) prove(r *recipe, now time.Time) *Proof {
	s, _ := scratches.Get().(*scratch)
	defer s.giveBack()
	left, oldest, from := maxAnswerLife, time.Duration(0), uint32(0)
	for i := range r.parts {
		part := &r.parts[i]
		group := &r.groups[part.group]
		s.key = append(append(s.key[:0], group.prefix...), r.texts[from:part.until]...)
		from = part.until
		e := c.memory.get(view(s.key))
		if e == nil || !c.stands(group.plan, e, now) || e.Version() != part.version {
			return nil
		}
		left, oldest = min(left, c.left(group.plan, e, now)), max(oldest, e.age(now))
	}
	if left <= 0 {
		return nil
	}
	return newProof(r, oldest, left)
}

// stands tells whether e may be answered at now without anything having to be done.
func (c *Cache) stands(p *plan, e *entry, now time.Time) bool {
	if !c.tags.alive(e) {
		return false
	}
	switch c.judge(p, e, now) {
	case current:
		return true
	case aging:
		return !c.due(p, e, now)
	default:
		return false
	}
}

func newProof(r *recipe, oldest, left time.Duration) *Proof {
	p := &Proof{recipe: r, age: ageOf(oldest)}
	p.value[0] = r.shared + maxAge(oldest, left)
	p.field[0] = Field{"Cache-Control", p.value[0], p.value[:]}
	copy(p.field[1:], r.purged)
	return p
}

// Entity is the answer's entity tag, with its quotes.
func (p *Proof) Entity() string { return p.recipe.entity[0] }

// Fields are those that the answer would have, as [Answer.Fields].
func (p *Proof) Fields() []Field { return p.field[:1+len(p.recipe.purged)] }

// AgeField is the age of the oldest part for the header, as [Answer.AgeField].
func (p *Proof) AgeField() Field { return ageField(p.age) }

// Of is what the channel has to know of the answer, as in [Produced].
func (p *Proof) Of() any { return p.recipe.of }

// Name is what the channel calls the operation in its log, as in [Produced].
func (p *Proof) Name() string { return p.recipe.name }

// prefixFields is how many fields of a [key] stand before its arguments.
const prefixFields = 11

// prefixLength is where the arguments of a stored key begin.
func prefixLength(key string) int {
	at := 0
	for range prefixFields {
		length, n := uvarint(key[at:])
		at += n + int(length)
	}
	return at
}

// argsOf are the arguments of a stored key.
func argsOf(key string) string {
	rest := key[prefixLength(key):]
	_, n := uvarint(rest)
	return rest[n:]
}

// uvarint is [binary.Uvarint] of a string, which is well formed.
func uvarint(s string) (value uint64, n int) {
	for n < len(s) && n < binary.MaxVarintLen64 {
		b := s[n]
		value |= uint64(b&0x7f) << (7 * n)
		n++
		if b < 0x80 {
			break
		}
	}
	return value, n
}
