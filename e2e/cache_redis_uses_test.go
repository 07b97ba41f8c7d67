//go:build e2e

package e2e

import (
	"crypto/rand"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/demo/stack"
	"github.com/portico-bff/portico/edge/events"
)

const (
	redisPassword = "e2e-password"
	eventsSecret  = "a secret of twenty-four bytes or more"
	eventsStream  = "portico:events"
	eventsGroup   = "portico"
)

// guideRights are the words that the guide gives to ACL SETUSER, and those that
// Cluster needs beyond them.
func guideRights(t *testing.T) (all, cluster []string) {
	t.Helper()
	guide, err := os.ReadFile("../docs/caching.md")
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^ACL SETUSER portico (.+ >PASSWORD .+)$`).FindSubmatch(guide)
	require.NotNil(t, line)
	more := regexp.MustCompile("In a Cluster also `([^`]+)`").FindSubmatch(guide)
	require.NotNil(t, more)
	return strings.Fields(strings.ReplaceAll(string(line[1]), "PASSWORD", redisPassword)), strings.Fields(string(more[1]))
}

// permit makes the guide's user on a node.
func (s *server) permit(more ...string) {
	s.t.Helper()
	rights, _ := guideRights(s.t)
	line := []any{"ACL", "SETUSER", "portico"}
	for _, word := range append(rights, more...) {
		line = append(line, word)
	}
	require.NoError(s.t, s.client.Do(s.t.Context(), line...).Err())
}

// asPortico is a REDIS_URL for the guide's user.
func asPortico(url string) string {
	return "REDIS_URL=" + strings.Replace(url, "://", "://portico:"+redisPassword+"@", 1)
}

// uses tries everything for which Redis is used beside reads: change events and the
// ledger of writes.
type uses struct {
	*stack.Stack
	t      *testing.T
	events string
	holder *server // of the stream of events

	cart, payment, key string
	placed             reply
}

func newUses(t *testing.T, url string, holder *server) *uses {
	t.Helper()
	u := &uses{t: t, holder: holder, events: free(t, 1)[0], key: "uses-" + rand.Text()}
	u.Stack = start(t, asPortico(url), "EVENTS_ADDR="+u.events, "EVENTS_SECRET="+eventsSecret)
	return u
}

// leave puts an event on the stream whose consumer died with it a minute ago.
func leave(t *testing.T, holder *server) {
	t.Helper()
	c := holder.client
	require.NoError(t, c.XGroupCreateMkStream(t.Context(), eventsStream, eventsGroup, "0").Err())
	id, err := c.XAdd(t.Context(), &redis.XAddArgs{Stream: eventsStream, Values: []string{"id", "left", "source", "erp", "type", "t", "tags", "stock:A"}}).Result()
	require.NoError(t, err)
	require.NoError(t, c.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: eventsGroup, Consumer: "dead", Streams: []string{eventsStream, ">"}}).Err())
	require.NoError(t, c.Do(t.Context(), "XCLAIM", eventsStream, eventsGroup, "dead", 0, id, "IDLE", 60_000).Err())
}

// drained waits until every event was let go of.
func (u *uses) drained() {
	u.t.Helper()
	require.Eventually(u.t, func() bool {
		groups, err := u.holder.client.XInfoGroups(u.t.Context(), eventsStream).Result()
		last := u.holder.client.XInfoStream(u.t.Context(), eventsStream).Val()
		return err == nil && len(groups) == 1 && groups[0].Pending == 0 && last != nil && groups[0].LastDeliveredID == last.LastGeneratedID
	}, 20*time.Second, 20*time.Millisecond, "all events are applied")
}

// tell sends an event with an ID and answers what became of it.
func (u *uses) tell(id string) reply {
	u.t.Helper()
	return u.changed(id, "product:none")
}

// changed sends an event with an ID about a tag.
func (u *uses) changed(id, tag string) reply {
	u.t.Helper()
	body := `{"specversion":"1.0","id":"` + id + `","source":"pim","type":"portico.invalidate","data":{"tags":["` + tag + `"]}}`
	header := http.Header{}
	events.Sign(header, eventsSecret, "msg_1", time.Now(), []byte(body))
	pairs := []string{"Content-Type", "application/cloudevents+json"}
	for name := range header {
		pairs = append(pairs, name, header.Get(name))
	}
	return send(u.t, http.MethodPost, "http://"+u.events+"/events", body, pairs...)
}

// order places the order under its key.
func (u *uses) order() reply {
	u.t.Helper()
	return send(u.t, http.MethodPost, u.Mobile+"/v1/carts/"+u.cart+"/order", map[string]string{"paymentMethod": u.payment}, "Idempotency-Key", u.key)
}

// begin uses everything once.
func (u *uses) begin() {
	u.t.Helper()
	taken := u.tell("known")
	require.Equal(u.t, http.StatusAccepted, taken.Status, taken.Raw)
	assert.JSONEq(u.t, `{"accepted":1,"duplicates":0}`, taken.Raw)
	u.cart, u.payment = readyToPlace(u.t, u.Stack, "HL-U509-R")
	u.placed = u.order()
	require.Less(u.t, u.placed.Status, 300, u.placed.Raw)
	u.remembered("at once")
	u.t.Logf("a change was seen in both channels after %v", renamed(u.t, u.Stack, "A name "+rand.Text()))
	u.drained()
}

// remembered asks for what was done before once more.
func (u *uses) remembered(when string) {
	u.t.Helper()
	begun := time.Now()
	var taken reply
	require.Eventually(u.t, func() bool {
		taken = u.tell("known")
		return taken.Status == http.StatusAccepted
	}, 20*time.Second, 20*time.Millisecond, "events are taken %s", when)
	assert.JSONEq(u.t, `{"accepted":0,"duplicates":1}`, taken.Raw, when)
	u.t.Logf("%s: events are taken after %v", when, time.Since(begun))
	var again reply
	require.Eventually(u.t, func() bool {
		again = u.order()
		return again.Status < 300
	}, 20*time.Second, 20*time.Millisecond, "the ledger answers %s", when)
	assert.Equal(u.t, "true", again.Header.Get("Idempotent-Replayed"), when)
	assert.Equal(u.t, u.placed.Raw, again.Raw, "%s: the same order", when)
	u.t.Logf("%s: the ledger answers after %v", when, time.Since(begun))
}

// survive uses everything again when the holder is gone and its heir has taken over.
func (u *uses) survive(heir *server) {
	u.t.Helper()
	// What was written just before a death may be lost: replication does not wait.
	written := replicated(u.t, u.holder, "master_repl_offset")
	require.Eventually(u.t, func() bool {
		return replicated(u.t, heir, "slave_repl_offset") >= written
	}, 20*time.Second, 20*time.Millisecond, "the heir has what was written")
	u.holder.kill()
	u.holder = heir
	killed := time.Now()
	require.Eventually(u.t, func() bool {
		return strings.Contains(heir.client.Info(u.t.Context(), "replication").Val(), "role:master")
	}, 20*time.Second, 20*time.Millisecond, "the heir takes over")
	u.t.Logf("the heir took over after %v", time.Since(killed))
	u.remembered("after the failover")
	u.t.Logf("a change was seen in both channels after %v", renamed(u.t, u.Stack, "Another name "+rand.Text()))
	u.drained()
	fresh := u.tell("fresh-" + rand.Text())
	require.Equal(u.t, http.StatusAccepted, fresh.Status, fresh.Raw)
	assert.JSONEq(u.t, `{"accepted":1,"duplicates":0}`, fresh.Raw)
	u.drained()
}

// replicated is how much of its master's writes a server has, by the offset of that name.
func replicated(t *testing.T, s *server, offset string) int {
	t.Helper()
	_, rest, found := strings.Cut(s.client.Info(t.Context(), "replication").Val(), offset+":")
	require.True(t, found, offset)
	digits, _, _ := strings.Cut(rest, "\r")
	n, err := strconv.Atoi(digits)
	require.NoError(t, err)
	return n
}

// Change events and the ledger on a Cluster, of which the node dies that has the
// stream of events; with no more rights than the guide gives.
func TestC15_EventsAndLedgerSurviveAClusterFailover(t *testing.T) {
	t.Parallel()
	holder, heir, url := sharded(t, eventsStream)
	leave(t, holder)
	u := newUses(t, url, holder)
	u.drained() // what the dead consumer held included
	u.begin()
	u.survive(heir)
}

func TestC15_EventsAndLedgerSurviveASentinelFailover(t *testing.T) {
	t.Parallel()
	master, heir, url := guarded(t)
	leave(t, master)
	u := newUses(t, url, master)
	u.drained()
	u.begin()
	u.survive(heir)
}

// With the rights that the guide lists, and no others, everything works; and every
// one of them is needed.
func TestC16_TheGuidesRightsAreEnoughAndNoMore(t *testing.T) {
	t.Parallel()
	at := free(t, 1)[0]
	s := serve(t, at, plainArgs(t, at)...)
	s.permit()
	require.NoError(t, s.client.ConfigResetStat(t.Context()).Err())
	t.Run("everything works", func(t *testing.T) { // to its end: leaving needs rights, too
		u := newUses(t, "redis://"+at, s)
		require.Equal(t, http.StatusOK, send(t, http.MethodGet, u.WebAdmin+"/readyz", nil).Status)
		u.begin()
		w := &weathered{ill: u.Stack, looks: newLooks(u.Stack)}
		w.usedAgain(t, "with these rights")
		// A load this long has its lease renewed.
		fault(t, u.Stack, map[string]any{"system": "pimcore", "operation": "*", "latencyMs": 800, "errorRate": 0})
		name := `{ product(sku: "BK-M18B-40") { name } }`
		graphQL(t, u.Stack, name, nil)
		// Of two that miss at once, one waits for the other's lease; what Redis has is not
		// what either may answer, and is not fetched twice.
		for tries := range 10 { // on a busy machine they do not always meet
			require.Less(t, u.changed("again-"+strconv.Itoa(tries), "product:BK-M18B-40").Status, 300)
			u.drained()
			var both sync.WaitGroup
			both.Go(func() { graphQL(t, u.Stack, name, nil) })
			both.Go(func() { send(t, http.MethodGet, u.Mobile+"/v1/screens/products/BK-M18B-40", nil) })
			both.Wait()
			if len(unused(t, s)) == 0 {
				break
			}
		}
		heal(t, u.Stack)
	})

	denied, err := s.client.ACLLog(t.Context(), 100).Result()
	require.NoError(t, err)
	assert.Empty(t, denied, "nothing was refused")
	assert.Empty(t, unused(t, s), "each right is needed")
	assert.Empty(t, nothingElse(t, at))
}

// Where Redis may not say what was added before, as with the rights of an earlier release, events are taken all the
// same, and name nothing.
func TestEventsAreTakenWhereWhatWasBeforeIsNotTold(t *testing.T) {
	t.Parallel()
	at := free(t, 1)[0]
	s := serve(t, at, plainArgs(t, at)...)
	s.permit("-xinfo|stream")
	u := newUses(t, "redis://"+at, s)
	for _, id := range []string{"first", "second"} {
		require.Equal(t, http.StatusAccepted, u.tell(id).Status)
	}
	u.drained()
	list, err := s.client.XRange(t.Context(), eventsStream, "-", "+").Result()
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.NotContains(t, list[1].Values, "previous")
}

// unused are the guide's rights to commands that nobody has sent yet.
func unused(t *testing.T, s *server) (commands []string) {
	t.Helper()
	rights, _ := guideRights(t)
	used := s.client.Info(t.Context(), "commandstats").Val()
	for _, right := range rights {
		if command, ok := strings.CutPrefix(right, "+"); ok && !strings.Contains(used, "cmdstat_"+command+":") {
			commands = append(commands, command)
		}
	}
	return commands
}

// nothingElse tries what the guide's user must not do, and answers what it could.
func nothingElse(t *testing.T, at string) (could string) {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: at, Username: "portico", Password: redisPassword, DisableIdentity: true})
	defer func() { _ = c.Close() }()
	require.NoError(t, c.Set(t.Context(), "portico:test", "v", time.Second).Err())
	for _, line := range []string{
		"FLUSHALL", "FLUSHDB", "KEYS *", "SCAN 0", "CONFIG GET *", "CLIENT LIST", "ACL LIST", "INFO", "COMMAND", "SCRIPT FLUSH", "FUNCTION LIST", "MONITOR", "SHUTDOWN",
		"SELECT 1", "SUBSCRIBE x", "PUBLISH portico:x y", "XGROUP DESTROY portico:events portico", "XDEL portico:events 1-1", "RENAME portico:test portico:b",
		"GET other", "SET other v", "MGET portico:test other", "DEL other", "XADD other * a b", "XREAD STREAMS other 0",
		"EVAL return(redis.call('GET','other')) 0", "EVAL return(redis.call('FLUSHALL')) 0", "EVAL return(redis.call('GET',KEYS[1])) 1 other",
	} {
		words := strings.Fields(line)
		args := make([]any, len(words))
		for i, word := range words {
			args[i] = word
		}
		if err := c.Do(t.Context(), args...).Err(); err == nil || !regexp.MustCompile(`NOPERM|ACL failure|can't run this command|can't access at least one|No permissions`).MatchString(err.Error()) {
			could += line + "\n"
		}
	}
	return could
}
