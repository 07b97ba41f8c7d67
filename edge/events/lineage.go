package events

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"

	"github.com/redis/go-redis/v9"
)

// lineageScript names the history of the stream that there is, and begins it anew when an
// event that was in the stream is known to be lost, and, unless somebody else has, when one is gone before its time. Without
// a name nobody counts on it.
var lineageScript = redis.NewScript(`
local epoch = redis.call('GET', KEYS[2])
if not epoch then return '' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function gone()
  return ARGV[1] ~= '' and tonumber(string.match(ARGV[1], '^%d+')) >= now - ARGV[4] and #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0
end
if ARGV[5] == '1' or ((ARGV[2] == '' or epoch == ARGV[2]) and gone()) then
  epoch = ARGV[3]
  redis.call('SET', KEYS[2], epoch)
end
return epoch`)

// lineage remembers the last event that this process saw in the stream. A replica that
// takes over may lack it although it was taken: who reads the journal must not believe
// then that nothing happened.
type lineage struct {
	mu   sync.Mutex
	last Place
	id   string // of last
	lost bool   // one that was seen is not before another that was added later
	name string // of the history when it was last looked at
}

// saw notes an event that is in the stream, and the one that was added before it, as far as that is known. It is true
// when one that was seen is lost.
func (l *lineage) saw(id, previous string) (lost bool) {
	at, err1 := placeOf(id)
	before, err2 := placeOf(previous)
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Join(err1, err2) == nil && l.last.Before(at) {
		l.lost = l.lost || (previous != "" && before.Before(l.last))
		l.last, l.id = at, id
	}
	return l.lost
}

// check has the history begin anew when an event that was seen is lost.
func (l *lineage) check(ctx context.Context, client redis.UniversalClient) error {
	l.mu.Lock()
	id, name, lost := l.id, l.name, l.lost
	l.lost = false
	l.mu.Unlock()
	now, err := lineageScript.Run(ctx, client, []string{streamKey, epochKey}, id, name, rand.Text(), kept.Milliseconds(), lost).Text()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.lost = l.lost || lost
		return err
	}
	if now != l.name && l.name != "" && l.id == id {
		l.last, l.id = Place{}, "" // of another history
	}
	l.name = now
	return nil
}
