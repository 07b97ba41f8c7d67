package magento

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// window is how far a timestamp may lie from the server's time, either way.
const window = 10 * time.Minute

// verifier checks OAuth 1.0a signatures (RFC 5849) made with HMAC-SHA256 by the
// one integration, and refuses nonces that were used.
type verifier struct {
	opts Options

	mu      sync.Mutex
	recent  map[string]bool // nonces since rotated
	older   map[string]bool // nonces of the period before
	rotated time.Time
}

func newVerifier(opts Options) *verifier {
	return &verifier{opts: opts, recent: map[string]bool{}, older: map[string]bool{}, rotated: opts.Now()}
}

// verify admits a request to a resource, or answers the 401 that Magento does.
func (v *verifier) verify(r *http.Request, resource string) error {
	header, ok := strings.CutPrefix(r.Header.Get("Authorization"), "OAuth ")
	if !ok {
		return unauthorized(resource)
	}
	params, ok := parseHeader(header)
	if !ok {
		return oauthFault("oauth_problem")
	}
	switch {
	case params["oauth_signature_method"] != "HMAC-SHA256":
		return oauthFault("Signature method %1 is not supported", params["oauth_signature_method"])
	case params["oauth_version"] != "" && params["oauth_version"] != "1.0":
		return oauthFault("The \"%1\" Oauth version isn't supported.", params["oauth_version"])
	case params["oauth_consumer_key"] != v.opts.ConsumerKey:
		return oauthFault("A consumer having the specified key does not exist")
	case params["oauth_token"] != v.opts.Token:
		return oauthFault("Specified token does not exist")
	}
	seconds, err := strconv.ParseInt(params["oauth_timestamp"], 10, 64)
	if err != nil || v.opts.Now().Sub(time.Unix(seconds, 0)).Abs() > window {
		return oauthFault("Incorrect timestamp value in the oauth_timestamp parameter")
	}
	want := signature(r, params, v.opts)
	if subtle.ConstantTimeCompare([]byte(want), []byte(params["oauth_signature"])) != 1 {
		return oauthFault("The signature is invalid. Verify and try again.")
	}
	if params["oauth_nonce"] == "" || !v.firstUse(params["oauth_nonce"]) {
		return oauthFault("The nonce is already being used by the consumer with ID %1", 1)
	}
	return nil
}

// firstUse remembers a nonce for at least as long as its timestamp is accepted.
func (v *verifier) firstUse(nonce string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if now := v.opts.Now(); now.Sub(v.rotated) > 2*window {
		v.older, v.recent, v.rotated = v.recent, map[string]bool{}, now
	}
	if v.recent[nonce] || v.older[nonce] {
		return false
	}
	v.recent[nonce] = true
	return true
}

func oauthFault(message string, parameters ...any) *fault {
	f := badRequest(message, parameters...)
	f.Status = http.StatusUnauthorized
	return f
}

// parseHeader reads name="value" pairs; a name that comes twice is refused.
func parseHeader(header string) (map[string]string, bool) {
	params := map[string]string{}
	for pair := range strings.SplitSeq(header, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
			return nil, false
		}
		decoded, err := url.PathUnescape(value[1 : len(value)-1])
		if _, twice := params[name]; twice || err != nil {
			return nil, false
		}
		params[name] = decoded
	}
	return params, true
}

// signature is what the request's signature must be. The path is the client's
// own, before a mount stripped its prefix.
func signature(r *http.Request, oauth map[string]string, opts Options) string {
	var pairs []string
	add := func(name, value string) { pairs = append(pairs, encode(name)+"="+encode(value)) }
	for name, values := range r.URL.Query() {
		for _, value := range values {
			add(name, value)
		}
	}
	for name, value := range oauth {
		if name != "oauth_signature" && name != "realm" {
			add(name, value)
		}
	}
	slices.Sort(pairs)
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if u, err := url.Parse(r.RequestURI); err == nil {
		path = u.EscapedPath()
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	address := scheme + "://" + strings.ToLower(r.Host) + path
	base := r.Method + "&" + encode(address) + "&" + encode(strings.Join(pairs, "&"))
	mac := hmac.New(sha256.New, []byte(encode(opts.ConsumerSecret)+"&"+encode(opts.TokenSecret)))
	mac.Write([]byte(base))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// encode is RFC 3986's percent-encoding of everything but unreserved characters.
func encode(s string) string {
	const upper = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(upper[c>>4])
		b.WriteByte(upper[c&15])
	}
	return b.String()
}
