package web

import (
	"bufio"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"
)

// appRequest is what an app sends.
const appRequest = "GET /v1/screens/products/MUG-RED?width=480 HTTP/1.1\r\nHost: shop.example.test:8081\r\n" +
	"User-Agent: Portico/3.2.1 (iPhone; iOS 19.1; Scale/3.00)\r\nAccept: application/json\r\nAccept-Language: fr-CH, fr;q=0.9, en;q=0.8\r\n" +
	"Accept-Encoding: br, gzip\r\nX-Channel: eu\r\nX-Currency: EUR\r\nX-Country: FR\r\nX-Request-Id: 4f1c2a9be0d74ad5a0a5f2f1b6f2c0de\r\n\r\n"

func headerOf(t testing.TB, request string) *fasthttp.RequestHeader {
	t.Helper()
	header := new(fasthttp.RequestHeader)
	require.NoError(t, header.Read(bufio.NewReader(strings.NewReader(request))))
	return header
}

func TestAHeaderIsReadOnce(t *testing.T) {
	t.Parallel()
	var h head
	h.look(headerOf(t, strings.Replace(appRequest, "Accept-Language:", "ACCEPT-language:\t ", 1)))
	require.NoError(t, h.refusal())
	require.False(t, h.last)
	for f, value := range map[field]string{
		fieldHost: "shop.example.test:8081", fieldAcceptLanguage: "fr-CH, fr;q=0.9, en;q=0.8", fieldChannel: "eu", fieldCurrency: "EUR",
		fieldCountry: "FR", fieldRequestID: "4f1c2a9be0d74ad5a0a5f2f1b6f2c0de", fieldAuthorization: "", fieldContentLength: "",
	} {
		require.Equal(t, value, string(h.first[f]), names[f].name)
		require.Equal(t, value != "", h.has(f), names[f].name)
	}
}

// Each field that must not be repeated is found under its name, however that is written.
func TestEverySingletonIsRefusedTwice(t *testing.T) {
	t.Parallel()
	for f := fieldOther + 1; f < lastField; f++ {
		name := names[f].name
		line := strings.ToUpper(name[:1]) + name[1:] + ": chunked\r\n"
		var once, twice, similar sent
		require.True(t, once.read([]byte(line)), name)
		require.True(t, once.has(f), name)
		require.Equal(t, !names[f].once, twice.read([]byte(line+strings.ToUpper(name)+": chunked\r\n")), name)
		require.True(t, similar.read([]byte(line+name+"-x: 1\r\nx"+name+": 1\r\n")), name)
	}
}

func TestPlainHosts(t *testing.T) {
	t.Parallel()
	for host, plain := range map[string]bool{
		"a": true, "A-z_0.9": true, "a:1": true, "a:65535": true, "127.0.0.1:80": true, "[::1]": true, "[::1]:8081": true, "[2001:db8::1.2.3.4]": true,
		"": false, ":": false, ":80": false, "a:": false, "a:123456": false, "a:8x": false, "a:b:80": false, "::1": false, "[]": false, "[]:80": false, "[": false, "]": false,
		"[::1": false, "::1]": false, "[::1]80": false, "[::1]:": false, "[g]": false, "[a]b": false, "a@b": false, "a b": false, "a/b": false, "a,b": false,
		"\xc3\xa9": false, "a\x00": false, "[::1%lo]": false, "{": false, "a^b": false, "@": false, "[`]": false,
	} {
		require.Equal(t, plain, plainHost([]byte(host)), "%q", host)
	}
}

// BenchmarkGuard looks at what an app sends.
func BenchmarkGuard(b *testing.B) {
	header := headerOf(b, appRequest)
	b.ReportAllocs()
	for b.Loop() {
		var h head
		if h.look(header); h.refusal() != nil {
			b.Fatal("refused")
		}
	}
}
