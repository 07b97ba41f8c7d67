package cache

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// However many are asked for, each is told what became of it, and who has seen what there is
// is not given it again.
func TestC2_EachOfManyIsToldItsOwn(t *testing.T) {
	t.Parallel()
	cases := []struct {
		entry, lease string // that Redis has; empty when it has none
		known        known
		want         leaseState
	}{
		{"", "", known{}, leaseGranted},
		{"an entry", "", known{}, leaseArrived},
		{"", version{5, 0}.order() + "other", known{}, leaseHeld},
		{"", version{5, 0}.order(), known{}, leaseFree},
		{"an entry", "", known{seen: checksumOf("an entry")}, leaseGranted},
		{"an entry", "", known{seen: checksumOf("another entry, before")}, leaseArrived},
		{"", version{5, 0}.order() + "other", known{least: version{6, 0}}, leaseStolen},
		{"an entry", version{5, 0}.order() + "other", known{seen: checksumOf("an entry")}, leaseHeld},
	}
	for name, scheme := range schemes {
		for _, usual := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " usual ", usual), func(t *testing.T) {
				t.Parallel()
				server := newRedis(t)
				c := newNode(t, commerce.Secret(scheme+server.Addr()))
				some := cases
				if usual {
					some = cases[:4] // of which nobody knows anything
				}
				var list wanted
				var states string
				for i := range 2*maxGatheredAsks + 7 {
					at, is := berthOf(fmt.Sprint(i)), some[i%len(some)]
					if is.entry != "" {
						require.NoError(t, server.Set(at.entry, is.entry))
					}
					if is.lease != "" {
						require.NoError(t, server.Set(at.lease, is.lease))
						server.SetTTL(at.lease, leaseLife)
					}
					list.add(&at, is.known, 10)
					states += string(is.want)
				}
				assert.Equal(t, usual, list.known == nil)
				replies, _, ok := c.remote.lease(t.Context(), version{7, 0}.order()+"me", list)
				require.True(t, ok)
				assert.Equal(t, states, replies.states)
				require.Len(t, replies.texts, strings.Count(states, string(leaseArrived)))
				for _, text := range replies.texts {
					assert.Equal(t, "an entry", text)
				}
			})
		}
	}
}

// Leases end together, but for those that are another's by now, and those that say that nothing will come.
func TestC2_LeasesAreGivenBackTogether(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c := newNode(t, urlOf(server))
	held := &leaseSet{remote: c.remote, token: version{7, 0}.order() + "me"}
	want := map[string]string{}
	for i := range maxGatheredAsks + 7 {
		at := berthOf(fmt.Sprint(i))
		token := held.token
		switch i % 3 {
		case 1:
			token = version{8, 0}.order() + "other"
			want[at.lease] = token
		case 2:
			held.unshared(at.entry)
			want[at.lease] = version{7, 0}.order()
		}
		require.NoError(t, server.Set(at.lease, token))
		server.SetTTL(at.lease, leaseLife)
		held.held = append(held.held, &at)
	}
	c.remote.put(t.Context(), nil, held)
	left := map[string]string{}
	for _, at := range leasesAt(server) {
		left[at], _ = server.Get(at)
	}
	assert.Equal(t, want, left)
}

// What sends entries is used again: nothing is left in it of what it sent before, and of how that went.
func TestWhatWasSentLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	c := newNode(t, urlOf(server))
	in := &room{}
	for range 3 {
		s := in.take()
		s.address = "a"
		s.command.SetErr(proto("OOM"))
	}
	in.script(askScript, 1, 2)
	in.empty()
	assert.Zero(t, in.taken)
	assert.Empty(t, in.words)
	for _, s := range in.sets {
		assert.Empty(t, s.address+s.packed)
	}
	for range 2 * freeRooms { // in whichever room
		c.remote.put(t.Context(), []write{aWrite(time.Now())}, nil)
		assert.Zero(t, c.remote.writes.failures)
	}
	assert.NotEmpty(t, found(t, c.remote, "k"))
}
