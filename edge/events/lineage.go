package events

import (
	"context"
	"crypto/rand"
	"sync"

	"github.com/redis/go-redis/v9"
)

// lineageScript names the history of the stream that there is, and begins it anew when an
// event that was in the stream is gone before its time, unless somebody else has. Without
// a name nobody counts on it.
var lineageScript = redis.NewScript(`
local epoch = redis.call('GET', KEYS[2])
if not epoch then return '' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if epoch == ARGV[2] and ARGV[1] ~= '' and tonumber(string.match(ARGV[1], '^%d+')) >= now - ARGV[4] and
  #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then
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
	name string // of the history when it was last looked at
}

// saw notes an event that is in the stream.
func (l *lineage) saw(id string) {
	at, err := placeOf(id)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && l.last.Before(at) {
		l.last, l.id = at, id
	}
}

// check has the history begin anew when the last event seen is gone.
func (l *lineage) check(ctx context.Context, client redis.UniversalClient) error {
	l.mu.Lock()
	id, name := l.id, l.name
	l.mu.Unlock()
	now, err := lineageScript.Run(ctx, client, []string{streamKey, epochKey}, id, name, rand.Text(), kept.Milliseconds()).Text()
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now != l.name && l.name != "" && l.id == id {
		l.last, l.id = Place{}, "" // of another history
	}
	l.name = now
	return nil
}
