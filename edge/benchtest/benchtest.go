// Package benchtest measures a channel's server beside a bare one, over real connections.
package benchtest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Compare measures the requests per second of ours as a share of those of bare, in many
// short rounds that take turns, so that what else the machine does hits both alike; the
// medians count. cpu-ratio is the same of requests per second of processor time. Both have to
// answer the same bytes, headers and all.
func Compare(b *testing.B, ours, bare string, request []byte) {
	b.Helper()
	answer := replyOf(b, ours, request)
	require.NotEmpty(b, answer.body)
	require.Equal(b, answer, replyOf(b, bare, request))
	const rounds, each = 101, 400
	spent(b, ours, request, each)
	spent(b, bare, request, each)
	figures := map[string][]float64{}
	note := func(unit string, value float64) { figures[unit] = append(figures[unit], value) }
	for b.Loop() {
		for i := range rounds {
			var mine, theirs cost
			if i%2 == 0 {
				mine, theirs = spent(b, ours, request, each), spent(b, bare, request, each)
			} else {
				theirs, mine = spent(b, bare, request, each), spent(b, ours, request, each)
			}
			note("ratio", theirs.wall.Seconds()/mine.wall.Seconds())
			note("cpu-ratio", theirs.cpu.Seconds()/mine.cpu.Seconds())
			note("ours-rps", each/mine.wall.Seconds())
			note("bare-rps", each/theirs.wall.Seconds())
		}
	}
	for unit, list := range figures {
		slices.Sort(list)
		b.ReportMetric(list[len(list)/2], unit)
	}
	b.ReportMetric(float64(len(answer.body)), "bytes")
	b.ReportMetric(0, "ns/op")
}

// Exchange sends one request, and answers what came back.
func Exchange(b *testing.B, addr string, request []byte) (http.Header, []byte) {
	b.Helper()
	conn, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", addr)
	require.NoError(b, err)
	_, err = conn.Write(request)
	require.NoError(b, err)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(b, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(b, err)
	require.NoError(b, res.Body.Close())
	require.NoError(b, conn.Close())
	require.Equal(b, http.StatusOK, res.StatusCode, string(body))
	return res.Header, body
}

// reply is what came back, but for what the time of day says.
type reply struct {
	header http.Header
	body   string
}

func replyOf(b *testing.B, addr string, request []byte) reply {
	b.Helper()
	header, body := Exchange(b, addr, request)
	header.Del("Date")
	header.Del("Age")
	return reply{header, string(body)}
}
