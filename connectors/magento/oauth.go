package magento

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// signer signs each attempt as the integration (OAuth 1.0a, RFC 5849, with
// HMAC-SHA256), with a nonce of its own. The guest and directory routes are open:
// they get no credentials.
func signer(cfg Config, now func() time.Time) func(*http.Request) error {
	key := encode(string(cfg.ConsumerSecret)) + "&" + encode(string(cfg.TokenSecret))
	return func(req *http.Request) error {
		if open(req.URL.EscapedPath()) {
			return nil
		}
		params := [][2]string{
			{"oauth_consumer_key", string(cfg.ConsumerKey)},
			{"oauth_nonce", rand.Text()},
			{"oauth_signature_method", "HMAC-SHA256"},
			{"oauth_timestamp", strconv.FormatInt(now().Unix(), 10)},
			{"oauth_token", string(cfg.Token)},
			{"oauth_version", "1.0"},
		}
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(baseString(req, params)))
		params = append(params, [2]string{"oauth_signature", base64.StdEncoding.EncodeToString(mac.Sum(nil))})
		var header strings.Builder
		for i, p := range params {
			if i > 0 {
				header.WriteString(", ")
			}
			header.WriteString(p[0] + `="` + encode(p[1]) + `"`)
		}
		req.Header.Set("Authorization", "OAuth "+header.String())
		return nil
	}
}

// open tells whether a path below …/rest/{store}/V1/ needs no identity.
func open(path string) bool {
	_, route, _ := strings.Cut(path, "/V1/")
	first, _, _ := strings.Cut(route, "/")
	return first == "guest-carts" || first == "directory"
}

// baseString is what is signed: the method, the address without its query, and all
// parameters, the query's included, in order.
func baseString(req *http.Request, oauth [][2]string) string {
	var pairs []string
	for name, values := range req.URL.Query() {
		for _, value := range values {
			pairs = append(pairs, encode(name)+"="+encode(value))
		}
	}
	for _, p := range oauth {
		pairs = append(pairs, encode(p[0])+"="+encode(p[1]))
	}
	slices.Sort(pairs)
	return req.Method + "&" + encode(address(req)) + "&" + encode(strings.Join(pairs, "&"))
}

// address is the request's URL in OAuth's normal form: lower case, no default port, no query.
func address(req *http.Request) string {
	scheme, host := strings.ToLower(req.URL.Scheme), strings.ToLower(req.URL.Host)
	switch scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return scheme + "://" + host + req.URL.EscapedPath()
}

// encode is RFC 3986's percent-encoding: everything but unreserved characters.
func encode(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}
