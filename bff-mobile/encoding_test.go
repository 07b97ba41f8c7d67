package bffmobile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/molecule-man/go-brrr"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

// plain is the body of an answer as it was before it was encoded.
func (a answer) plain(t testing.TB) string {
	t.Helper()
	var in io.Reader = strings.NewReader(a.Raw)
	switch a.Header.Get("Content-Encoding") {
	case "":
	case "gzip":
		r, err := gzip.NewReader(in)
		require.NoError(t, err)
		in = r
	case "zstd":
		r, err := zstd.NewReader(in)
		require.NoError(t, err)
		defer r.Close()
		in = r
	case "br":
		in = brrr.NewReader(in)
	default:
		require.Fail(t, "an unknown coding", a.Header.Get("Content-Encoding"))
	}
	body, err := io.ReadAll(in)
	require.NoError(t, err)
	return string(body)
}

// large are screens that are worth encoding.
var large = []call{
	get("/v1/screens/home"), get("/v1/screens/categories/home"), get("/v1/screens/search?q="), get("/v1/screens/products/MUG-RED"),
	get("/v1/screens/home", "Authorization", "Bearer C1"), get("/v1/screens/account", "Authorization", "Bearer C1"),
}

// manyAddresses is customers who move a lot.
type manyAddresses struct{ commerce.Customers }

func (m manyAddresses) Customer(ctx context.Context, p commerce.Principal) (*commerce.Customer, error) {
	found, err := m.Customers.Customer(ctx, p)
	if err != nil {
		return nil, err
	}
	moved := *found
	moved.Addresses = slices.Repeat(found.Addresses, 10)
	return &moved, nil
}

func withManyAddresses(b *edge.Backend) { b.Ports.Customers = manyAddresses{b.Ports.Customers} }

func TestEveryEncodingHoldsTheSameBytes(t *testing.T) {
	t.Parallel()
	kept, _ := keeping(t, withManyAddresses)
	for where, s := range map[string]*shop{"kept": kept, "composed": open(t, withManyAddresses)} {
		for _, c := range large {
			want := s.checked(t, c)
			require.Equal(t, 200, want.Status)
			require.Empty(t, want.Header.Get("Content-Encoding"), c.path)
			for _, coding := range []string{"br", "zstd", "gzip"} {
				in := c
				in.headers = append([]string{"Accept-Encoding", coding + ", x;q=0.9"}, c.headers...)
				for range 2 {
					got := s.checked(t, in)
					require.Equal(t, coding, got.Header.Get("Content-Encoding"), "%s: %s", where, c.path)
					require.Equal(t, want.Raw, got.plain(t), "%s: %s", where, c.path)
					require.Less(t, len(got.Raw), len(want.Raw), "%s: %s", where, c.path)
					require.Contains(t, got.Header.Get("Vary"), "Accept-Encoding")
				}
				in.method = "HEAD"
				require.Equal(t, coding, s.send(t, in).Header.Get("Content-Encoding"))
			}
		}
	}
}

// What is encoded is kept encoded, once for each coding however it is asked for.
func TestAHundredWaysToAskForACodingAreOneAnswer(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	ask := func(accept string) answer {
		return s.ok(t, get("/v1/screens/home", "Accept-Encoding", accept))
	}
	first := ask("br")
	require.Equal(t, "miss", s.how(t))
	one := s.metric(t, "portico_answers_bytes")
	s.ResetCalls()
	for i := range 100 {
		got := ask(fmt.Sprintf("gzip;q=0.%03d, br%s, deflate", i, strings.Repeat(" ", i)))
		require.Equal(t, "hit", s.how(t))
		require.Equal(t, first.Raw, got.Raw)
	}
	require.Zero(t, s.TotalCalls())
	const ways = 3 // to find it at most: its question, its letters here and before anything is routed
	require.Less(t, s.metric(t, "portico_answers_bytes"), ways*one, "100 spellings are not 100 copies, nor 100 names")
	for _, coding := range []string{"zstd", "gzip", "identity"} {
		ask(coding)
		require.Equal(t, "miss", s.how(t), coding)
	}
}

func TestSmallBodiesAreNotEncoded(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	all := []string{"Accept-Encoding", "br, zstd, gzip"}
	for _, c := range []call{
		get("/v1/screens/search?q=zzz", all...),
		get("/v1/screens/products/NO-SUCH", all...),
		get("/v1/screens/search?first=0", all...),
		get("/v1/config", all...),
		get("/v1/orders?first=1", append([]string{"Authorization", "Bearer C1"}, all...)...),
	} {
		a := s.checked(t, c)
		require.Empty(t, a.Header.Get("Content-Encoding"), c.path)
		require.Less(t, len(a.Raw), 1024, c.path)
		require.True(t, strings.HasPrefix(a.Raw, "{"), c.path)
	}
}

// What holds a guest's cart id is not encoded, however large it is: nobody learns anything
// of it from a length. Nor are answers to writes, which are kept with their key.
func TestWhatHoldsASecretIsNotEncoded(t *testing.T) {
	t.Parallel()
	s := open(t)
	all := []string{"Accept-Encoding", "br, zstd, gzip"}
	cart := s.filled(t)
	for _, sku := range []string{"BOWL-1", "MUG-BLUE", "LAMP-1", "VASE-1"} {
		a := s.checked(t, call{"POST", cart + "/lines", `{"sku":"` + sku + `","quantity":1}`, all})
		require.Equal(t, 200, a.Status, a.Raw)
		require.Empty(t, a.Header.Get("Content-Encoding"))
	}
	for _, path := range []string{cart, "/v1/screens/cart/" + guestCart, "/v1/screens/checkout/" + guestCart} {
		a := s.checked(t, get(path, all...))
		require.Equal(t, 200, a.Status)
		require.Contains(t, a.Raw, guestCart)
		require.Greater(t, len(a.Raw), 1024, "large enough to be encoded, if it might be")
		require.Empty(t, a.Header.Get("Content-Encoding"), path)
	}
}

// What is asked for in several lines is what is asked for in one.
func TestAcceptEncodingMayComeInLines(t *testing.T) {
	t.Parallel()
	s, _ := keeping(t)
	addr, _ := s.serve(t)
	conn := dial(t, addr)
	for range 3 {
		for lines, want := range map[string]string{
			"Accept-Encoding: gzip;q=0.5\r\naccept-encoding: zstd\r\n": "zstd", "Accept-Encoding: br\r\nAccept-Encoding: br;q=0, gzip\r\n": "gzip", "Accept-Encoding: \r\nAccept-Encoding: br\r\n": "br",
		} {
			got, _ := conn.ask(t, "GET /v1/screens/home HTTP/1.1\r\nHost: portico.test\r\n"+lines+"\r\n")
			head, _, _ := strings.Cut(got, "\r\n\r\n")
			require.Contains(t, head, "\r\nContent-Encoding: "+want, lines)
		}
	}
}

// No problem is large enough to be encoded, so that none has to be.
func TestProblemsAreSmall(t *testing.T) {
	t.Parallel()
	for name, file := range shown {
		if strings.HasPrefix(file, "problem-") {
			var text bytes.Buffer
			fold(&text, goldenBody(t, file), "", 0)
			require.Less(t, text.Len(), 1024, name)
		}
	}
}
