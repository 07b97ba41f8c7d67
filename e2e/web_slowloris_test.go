//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	slowSockets   = 5000
	slowRounds    = 5                       // at least; more where the machine was busy with something else
	slowRoundsMax = 11                      // at most
	honestCalls   = 250                     // requests of a round, with the sockets and without
	honestPace    = 10 * time.Millisecond   // between their starts: a round takes longer than a socket is borne with
	slowlorisMost = 20 * time.Millisecond   // what honest requests may wait longer
	headerTimeout = 2 * time.Second         // of the server
	headerSlack   = 1500 * time.Millisecond // of a machine that does other things, too
)

// siege is what the process that holds the slow sockets tells of a round.
type siege struct {
	Held, HungUp int64
	Borne        time.Duration
}

// TestW12_SlowSocketsSlowNobodyDown holds 5,000 sockets to a process open that send
// their headers a letter at a time, and come back when they are hung up on. Who sends at
// once hardly notices: in rounds, the 99th percentile with the sockets is taken beside
// the one without them. What else the machine does adds to either and takes from neither,
// so that the lower quartiles of the rounds are compared.
func TestW12_SlowSocketsSlowNobodyDown(t *testing.T) {
	slowloris, s := build(t, "./e2e/slowloris"), start(t)
	_, web := webProcess(t, s.Sandbox)
	honest(t, web) // what is asked for is known from here on
	var with, without []time.Duration
	worse := func() time.Duration { return lowerQuartile(with) - lowerQuartile(without) }
	for len(with) < slowRounds || len(with) < slowRoundsMax && worse() > slowlorisMost {
		before := honestly(t, web)
		end := besiege(t, slowloris, strings.TrimPrefix(web, "http://"))
		beside := honestly(t, web)
		told := end()
		with, without = append(with, beside), append(without, before)
		t.Logf("p99 %v beside %d slow sockets, %v without; %d were hung up on, after %v", beside, told.Held, before, told.HungUp, told.Borne)
		assert.GreaterOrEqual(t, told.Held, int64(slowSockets*3/4), "they are really held")
		assert.GreaterOrEqual(t, told.HungUp, int64(slowSockets), "they are not borne with")
		assert.InDelta(t, headerTimeout, told.Borne, float64(headerSlack), "until the server's timeout, and no longer")
	}
	assert.LessOrEqual(t, worse(), slowlorisMost, "with: %v, without: %v", with, without)
}

func lowerQuartile(of []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(of))[len(of)/4]
}

// honestly answers the 99th percentile of a round's requests.
func honestly(t *testing.T, base string) time.Duration {
	t.Helper()
	pace := time.NewTicker(honestPace)
	defer pace.Stop()
	took := make([]time.Duration, honestCalls)
	for i := range took {
		<-pace.C
		took[i] = honest(t, base)
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

// honest makes a request and answers what it took.
func honest(t *testing.T, base string) time.Duration {
	t.Helper()
	began := time.Now()
	r := send(t, http.MethodPost, base+"/graphql", `{"query":"{ product(sku: \"HL-U509-R\") { name price { unit { amount } } } }"}`)
	took := time.Since(began)
	require.Equal(t, http.StatusOK, r.Status, r.Raw)
	return took
}

// besiege returns once all slow sockets are open. The function that it answers ends
// them, and tells how it went.
func besiege(t *testing.T, bin, addr string) (end func() siege) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), bin, addr, strconv.Itoa(slowSockets))
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	opened := make([]byte, len("open\n"))
	_, err = io.ReadFull(out, opened)
	require.NoError(t, err)
	return func() (told siege) {
		require.NoError(t, in.Close())
		require.NoError(t, json.NewDecoder(out).Decode(&told))
		require.NoError(t, cmd.Wait())
		return told
	}
}
