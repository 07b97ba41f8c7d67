package magento

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// client calls the dialect below a prefix, as the sandbox mounts it.
type client struct {
	t       *testing.T
	world   *world.World
	handler http.Handler
}

func newClient(t *testing.T) *client {
	t.Helper()
	w, err := world.Load()
	require.NoError(t, err)
	return &client{t, w, http.StripPrefix("/magento", New(w, Options{}))}
}

const origin = "http://shop.example.test"

// request makes an unsigned call; path begins after /V1.
func (c *client) request(method, path, body string) *http.Request {
	req := httptest.NewRequestWithContext(c.t.Context(), method, origin+"/magento/rest/default/V1"+path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

func (c *client) do(req *http.Request) (int, string) {
	rec := httptest.NewRecorder()
	c.handler.ServeHTTP(rec, req)
	return rec.Code, strings.TrimSpace(rec.Body.String())
}

// open calls a route that needs no identity.
func (c *client) open(method, path, body string) (int, string) {
	return c.do(c.request(method, path, body))
}

// admin calls a route as the integration.
func (c *client) admin(method, path, body string) (int, string) {
	req := c.request(method, path, body)
	sign(req, DefaultTokenSecret, time.Now(), rand.Text())
	return c.do(req)
}

// sign is OAuth 1.0a as a client writes it, apart from the code under test.
func sign(req *http.Request, tokenSecret string, at time.Time, nonce string) {
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	oauth := map[string]string{
		"oauth_consumer_key": DefaultConsumerKey, "oauth_token": DefaultToken, "oauth_nonce": nonce,
		"oauth_signature_method": "HMAC-SHA256", "oauth_timestamp": strconv.FormatInt(at.Unix(), 10), "oauth_version": "1.0",
	}
	var pairs, header []string
	for name, value := range oauth {
		pairs = append(pairs, escape(name)+"="+escape(value))
		header = append(header, name+`="`+escape(value)+`"`)
	}
	for name, values := range req.URL.Query() {
		for _, value := range values {
			pairs = append(pairs, escape(name)+"="+escape(value))
		}
	}
	slices.Sort(pairs)
	base := req.Method + "&" + escape(origin+req.URL.EscapedPath()) + "&" + escape(strings.Join(pairs, "&"))
	mac := hmac.New(sha256.New, []byte(DefaultConsumerSecret+"&"+tokenSecret))
	mac.Write([]byte(base))
	header = append(header, `oauth_signature="`+escape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))+`"`)
	req.Header.Set("Authorization", "OAuth "+strings.Join(header, ","))
}

func decode[T any](t *testing.T, body string) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal([]byte(body), &v), body)
	return v
}

// guestCart opens a cart with two pieces of the first product in stock.
func (c *client) guestCart() (id, sku string) {
	c.t.Helper()
	status, body := c.open(http.MethodPost, "/guest-carts", "")
	require.Equal(c.t, http.StatusOK, status)
	id = decode[string](c.t, body)
	sku = c.inStock().SKU
	status, body = c.open(http.MethodPost, "/guest-carts/"+id+"/items", itemBody(id, sku, 2))
	require.Equal(c.t, http.StatusOK, status, body)
	return id, sku
}

func (c *client) inStock() *world.Product {
	c.t.Helper()
	for _, p := range c.world.Products() {
		if p.Published && c.world.Free(p.ID) > 20 {
			return p
		}
	}
	c.t.Fatal("nothing in stock")
	return nil
}

func itemBody(cart, sku string, qty int) string {
	return `{"cartItem":{"sku":"` + sku + `","qty":` + strconv.Itoa(qty) + `,"quote_id":"` + cart + `"}}`
}

const seattle = `{"firstname":"Ada","lastname":"Berg","street":["1 Pike Street"],"city":"Seattle","region_code":"WA","region_id":62,"postcode":"98101","country_id":"US","telephone":"1","email":"ada@example.test"}`
