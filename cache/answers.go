package cache

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	// maxAnswerLife bounds how long a whole answer is given without looking at its parts.
	maxAnswerLife = time.Minute
	// maxAnswer is the largest answer that is kept, in bytes.
	maxAnswer = 1 << 20
	// maxAnswerSources is how many parts an answer that is kept may have. A sink
	// keeps no more than 10,000: with as many, some may not have been told.
	maxAnswerSources = 5_000
	// leastAnswerBytes is the smallest budget that is more than none.
	leastAnswerBytes = 64 << 10
)

// Question is all that a whole answer may depend on. Who asks is not in it, and is
// not known to who makes the answer: nothing private can get into one.
type Question struct {
	Channel string              // "web", "mobile"
	Text    []string            // what is asked for, in the channel's own words and a form of its own
	Letters []byte              // in place of Text: what is asked for as it was sent; it is only read, and not kept
	Market  commerce.Market     // all of it tells answers apart
	Group   commerce.PriceGroup // whose prices are shown
	Form    string              // the answer's media type
}

// answerForm changes when an answer's key or meaning does.
const answerForm = 1

// appendKey writes q so that two questions are written alike only when they are equal.
func (q *Question) appendKey(b []byte) []byte {
	b = q.appendScope(b)
	b = binary.AppendUvarint(b, uint64(len(q.Text)))
	for _, text := range q.Text {
		b = appendField(b, text)
	}
	if len(q.Letters) > 0 {
		b = appendField(b, view(q.Letters))
	}
	return b
}

// appendScope writes all of q but what is asked for.
func (q *Question) appendScope(b []byte) []byte {
	b = append(b, answerForm)
	b = appendField(b, q.Channel)
	b = appendField(b, q.Market.Channel)
	b = appendField(b, q.Market.Locale)
	b = appendField(b, q.Market.Currency)
	b = appendField(b, q.Market.Country)
	b = appendField(b, string(q.Group))
	return appendField(b, q.Form)
}

func (q *Question) key() string {
	var room [512]byte
	return string(q.appendKey(room[:0]))
}

// Produced is what a channel made for a question.
type Produced struct {
	Body        []byte // read-only from here on
	ContentType string
	Name        string // what the channel calls the operation in its log; may be empty
	// Entity is the answer's entity tag, as net/http has it in a header, which is shared and
	// read-only; it is asked for by those who tell it, and makes it once. nil when the channel
	// has none, or its own.
	Entity func() []string
	// Seed is what the entity depends on beside the answer's parts, for a channel that has
	// it made of their versions; see [Entity]. nil when it has not. Then Entity is nil before
	// the answer is proven, and after that whenever there is no tag.
	Seed []byte
	// Of is what the channel has to know of a kept answer that was found without
	// looking at what is asked for. It is shared and read-only.
	Of any
	// Whole says that as far as the channel can tell nothing is missing, nothing is
	// stale and nothing went wrong.
	Whole bool
	// Sources and Lists are where all of it came from, as the cache's ports reported.
	Sources []commerce.Source
	Lists   [][]commerce.Source // further sources; read-only
	// Spent says what the making took, for those who waited for it; it is not kept.
	// It is shared and read-only.
	Spent any
	// Rest is what the channel needs to answer those who waited when the answer is not
	// whole. It is shared and read-only.
	Rest any
}

// Result says how a request was answered, in one word for logs and metrics.
type Result string

// The results.
const (
	Hit    Result = "hit"    // a kept answer
	Miss   Result = "miss"   // made for this request
	Shared Result = "shared" // made for another request that asked the same at the same time
	Bypass Result = "bypass" // not for keeping
	Proven Result = "proven" // nothing: what the caller has is what there is
)

// Answers keeps and shares whole answers of a channel, as bytes: those that are the
// same for everyone in a market and price group. An answer is kept only when each of
// its sources proves that it may be, and no longer than any of them stays current. It
// is dead as soon as one of its sources' tags is invalidated. It is safe for concurrent
// use.
type Answers struct {
	cache   *Cache
	table   table
	budget  int64                 // for answers and recipes
	recipes atomic.Pointer[table] // nil until there is one
	room    int                   // bytes for naming an answer's tags; 0 names none
	counts  [len(everyResult)]atomic.Int64
	evicted atomic.Int64

	ctx  context.Context // productions belong to Answers, not to a request
	stop context.CancelFunc
	work sync.WaitGroup

	mu      sync.Mutex
	flights map[string]*production
}

// NewAnswers makes the answers of a channel beside c, or nil, which keeps nothing, when
// cfg has no memory for them. They are closed before c is.
func NewAnswers(c *Cache, cfg Config, channel string, meter metric.MeterProvider) (*Answers, error) {
	if cfg.AnswerBytes == 0 || cfg.Off {
		return nil, nil //nolint:nilnil // off is a configuration, not a failure
	}
	if err := cfg.checkAnswers(); err != nil {
		return nil, err
	}
	if meter == nil {
		meter = noop.NewMeterProvider()
	}
	a := &Answers{cache: c, budget: cfg.AnswerBytes, room: cfg.SurrogateKeyBytes, flights: map[string]*production{}}
	var err error
	if a.table, err = newTable(cfg.AnswerBytes, c.memory.clock, func(string) { a.evicted.Add(1) }); err != nil {
		return nil, err
	}
	if err := a.measure(meter, channel); err != nil {
		return nil, err
	}
	a.ctx, a.stop = context.WithCancel(c.ctx)
	return a, nil
}

func (c Config) checkAnswers() error {
	var errs []error
	if c.AnswerBytes != 0 && c.AnswerBytes < leastAnswerBytes {
		errs = append(errs, errors.New("CACHE_ANSWER_BYTES: must be 0 or at least 65536"))
	}
	if c.SurrogateKeyBytes < 0 || c.SurrogateKeyBytes > maxSurrogates {
		errs = append(errs, errors.New("SURROGATE_KEY_BYTES: must be between 0 and 16384"))
	}
	return errors.Join(errs...)
}

// Close ends productions under way and releases everything.
func (a *Answers) Close() {
	if a == nil {
		return
	}
	a.stop()
	a.work.Wait()
	a.table.StopAllGoroutines()
	if t := a.recipes.Load(); t != nil {
		t.StopAllGoroutines()
	}
}

// Kept is the answer to q that is kept, or nil. It is counted as a hit.
func (a *Answers) Kept(q *Question) *Answer {
	found := a.KeptAt(q, time.Now())
	if found != nil {
		a.Count(Hit)
	}
	return found
}

// KeptAt is what [Answers.Kept] finds now, which its caller knows already. It is not counted.
func (a *Answers) KeptAt(q *Question, now time.Time) *Answer {
	if a == nil {
		return nil
	}
	var room [512]byte
	return a.lookupAt(view(q.appendKey(room[:0])), now) // which keeps nothing of its key
}

func (a *Answers) lookup(key string) *Answer { return a.lookupAt(key, time.Now()) }

func (a *Answers) lookupAt(key string, now time.Time) *Answer {
	e := a.table.get(key)
	if e == nil {
		return nil
	}
	if of, ok := e.value.(alias); ok {
		if e = a.table.get(string(of)); e == nil {
			return nil
		}
	}
	found, _ := e.value.(*Answer)
	if found == nil || !a.cache.lasts(e, now) || !a.cache.tags.lives(e, found.tags) {
		return nil
	}
	return found
}

// keep stores what flight p brought under key, if it is proven that it may be.
func (a *Answers) keep(key string, p *production) {
	answer := p.answer
	if answer.left <= 0 || len(answer.Body) > maxAnswer {
		return
	}
	e := &entry{
		value: answer, began: p.began, fresh: answer.left, stamp: p.stamp,
		size: overhead + answerWords + uint32(len(key)+len(answer.Body)+answer.headerBytes()+len(answer.Name)),
	}
	if !a.cache.tags.lives(e, answer.tags) {
		return
	}
	answer.entry, answer.key = e, key
	a.table.set(key, e, answer.left)
}

// answerWords is what an [Answer] takes itself, in bytes.
const answerWords = uint32(unsafe.Sizeof(Answer{}))

// alias is the key of the answer that is asked for in another way, too. It holds no
// body: what is weighed is what is held.
type alias string

// Alias has answer, when it is kept, found under q as well: another way to ask, in the
// same channel, market, price group and form, for what it answers, which is cheaper to
// recognize. Equal questions have to ask for the same whatever is kept.
func (a *Answers) Alias(q *Question, answer *Answer) {
	scope := string(q.appendScope(nil))
	if answer.entry == nil || !strings.HasPrefix(answer.key, scope) {
		return
	}
	a.name(q.key(), answer)
}

// name has answer found under key, too: as long as it may be known what it was made of.
func (a *Answers) name(key string, answer *Answer) {
	life := maxAnswerLife
	if answer.seeded {
		life = maxRecipeLife
	}
	size := overhead + uint32(len(key)+len(answer.key))
	a.table.set(key, &entry{value: alias(answer.key), began: time.Now(), fresh: life, size: size}, life)
}

func (a *Answers) warn(ctx context.Context, stack string) {
	a.cache.log.LogAttrs(ctx, slog.LevelError, "production of an answer panicked", slog.String("stack", stack))
}
