package transport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// authority signs certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{key: key, cert: cert}
}

// issue makes a server's certificate for 127.0.0.1 after change.
func (a *authority) issue(t *testing.T, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestN22_BadCertificatesAndOldTLSAreRefusedAndNotRetried(t *testing.T) {
	t.Parallel()
	trusted, stranger := newAuthority(t), newAuthority(t)
	as := func(*x509.Certificate) {}
	cases := map[string]struct {
		by     *authority
		change func(*x509.Certificate)
		max    uint16
		cause  error // nil: it is accepted
	}{
		"valid":         {trusted, as, tls.VersionTLS13, nil},
		"valid TLS 1.2": {trusted, as, tls.VersionTLS12, nil},
		"expired":       {trusted, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, tls.VersionTLS13, errCertificate},
		"not yet valid": {trusted, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(30 * time.Minute) }, tls.VersionTLS13, errCertificate},
		"wrong host": {trusted, func(c *x509.Certificate) {
			c.IPAddresses, c.DNSNames = nil, []string{"elsewhere.example"}
		}, tls.VersionTLS13, errCertificate},
		"wrong address": {trusted, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 2)} }, tls.VersionTLS13, errCertificate},
		"for clients": {trusted, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}, tls.VersionTLS13, errCertificate},
		"unknown authority": {stranger, as, tls.VersionTLS13, errCertificate},
		"TLS 1.1":           {trusted, as, tls.VersionTLS11, errTLS},
		"TLS 1.0":           {trusted, as, tls.VersionTLS10, errTLS},
	}
	for name, tc := range cases {
		for _, traits := range []commerce.Traits{readTraits, writeTraits} {
			t.Run(name+"/"+string(traits.Operation), func(t *testing.T) {
				t.Parallel()
				var calls, handshakes atomic.Int64
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
				server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
				server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
					if state == http.StateNew {
						handshakes.Add(1)
					}
				}
				server.TLS = &tls.Config{ //nolint:gosec // a server that is too old is what is tested
					Certificates: []tls.Certificate{tc.by.issue(t, tc.change)},
					MinVersion:   tls.VersionTLS10, MaxVersion: tc.max,
				}
				server.StartTLS()
				defer server.Close()

				_, err := do(t, trusting(t, server.URL, trusted), traits, get())
				assert.Equal(t, int64(1), handshakes.Load(), "not retried")
				if tc.cause == nil {
					require.NoError(t, err)
					assert.Equal(t, int64(1), calls.Load())
					return
				}
				require.ErrorIs(t, err, commerce.ErrUnavailable)
				require.ErrorIs(t, err, tc.cause)
				require.NotErrorIs(t, err, commerce.ErrOutcomeUnknown, "nothing was sent")
				assert.Zero(t, calls.Load())
			})
		}
	}
}

// trusting is a client whose pool is as it always is, but for one more authority.
func trusting(t *testing.T, baseURL string, a *authority) *Client {
	t.Helper()
	base, err := url.Parse(baseURL)
	require.NoError(t, err)
	cfg, _, err := patient(Config{BaseURL: baseURL}).checked()
	require.NoError(t, err)
	pool := newPool(cfg)
	pool.TLSClientConfig.RootCAs = x509.NewCertPool()
	pool.TLSClientConfig.RootCAs.AddCert(a.cert)
	t.Cleanup(pool.CloseIdleConnections)
	c, err := newClient("odoo", cfg, nil, quiet().withDefaults(), wire{base: base, via: pool})
	require.NoError(t, err)
	return c
}

// No setting reaches the TLS configuration, no code of any connector turns
// verification off, and only the pool makes connections.
func TestN22_VerificationCannotBeTurnedOff(t *testing.T) {
	t.Parallel()
	config := reflect.TypeFor[Config]()
	for i := range config.NumField() {
		field := config.Field(i)
		assert.NotContains(t, []reflect.Kind{reflect.Func, reflect.Interface, reflect.Pointer, reflect.Struct}, field.Type.Kind(), field.Name)
		for _, word := range []string{"tls", "insecure", "verify", "skip"} {
			assert.NotContains(t, strings.ToLower(field.Name+" "+field.Tag.Get("env")), word)
		}
	}

	refused := map[string]bool{
		"InsecureSkipVerify": true, "VerifyPeerCertificate": true, "VerifyConnection": true, "DialTLSContext": true, "DialTLS": true,
		"KeyLogWriter": true, "DefaultTransport": true, "DefaultClient": true,
	}
	files := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && path == filepath.Join("..", "sandbox") {
			return fs.SkipDir // imitates upstreams, calls none
		}
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if name, ok := node.(*ast.Ident); ok {
				assert.False(t, refused[name.Name], "%s names %s", path, name.Name)
			}
			return true
		})
		return nil
	})
	require.NoError(t, err)
	assert.Greater(t, files, 20, "the connectors were found")
}
