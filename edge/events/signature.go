package events

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/portico-bff/portico/schema/commerce"
)

// The headers of Standard Webhooks.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

const (
	// tolerance is how far a request's timestamp may be from our clock.
	tolerance = 5 * time.Minute
	// memory is how long an event is known. A request can be repeated while its
	// timestamp is good, which is two tolerances at most; the rest is for clocks.
	memory = 15 * time.Minute
	// mostSignatures bounds what one request makes us compare.
	mostSignatures = 10

	version = "v1," // the one scheme: HMAC-SHA256
)

var (
	// idPattern leaves out the dot, which stands between the parts that are signed.
	idPattern        = regexp.MustCompile(`^[!-\-/-~]{1,255}$`)
	timestampPattern = regexp.MustCompile(`^[0-9]{1,12}$`)
)

// refusal is why a request is not believed, for metrics alone.
type refusal string

const (
	unsigned     refusal = "unsigned"
	badTimestamp refusal = "timestamp"
	badSignature refusal = "signature"
)

// signed is what a request claims, before its body was read.
type signed struct {
	prefix     string // what is signed before the body
	signatures [][]byte
}

// claimOf reads the headers and checks the time.
func claimOf(h http.Header, now time.Time) (signed, refusal) {
	id, stamp, list := h.Values(HeaderID), h.Values(HeaderTimestamp), h.Values(HeaderSignature)
	if len(id) != 1 || len(stamp) != 1 || len(list) != 1 || !idPattern.MatchString(id[0]) {
		return signed{}, unsigned
	}
	seconds, err := strconv.ParseInt(stamp[0], 10, 64)
	if err != nil || !timestampPattern.MatchString(stamp[0]) || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return signed{}, badTimestamp
	}
	s := signed{prefix: id[0] + "." + stamp[0] + "."}
	for entry := range strings.SplitSeq(list[0], " ") {
		text, ok := strings.CutPrefix(entry, version)
		sum, err := base64.StdEncoding.DecodeString(text)
		if ok && err == nil && len(s.signatures) < mostSignatures {
			s.signatures = append(s.signatures, sum)
		}
	}
	if len(s.signatures) == 0 {
		return signed{}, badSignature
	}
	return s, ""
}

// by tells whether one of the keys made one of the signatures. What it takes tells
// nothing about how near a wrong one is.
func (s signed) by(keys [][]byte, body []byte) bool {
	good := false
	for _, key := range keys {
		sum := mac(key, s.prefix, body)
		for _, claimed := range s.signatures {
			good = hmac.Equal(sum, claimed) || good
		}
	}
	return good
}

func mac(key []byte, prefix string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(prefix)) // a hash never fails
	_, _ = h.Write(body)
	return h.Sum(nil)
}

// Sign sets the headers of a request that sends body now: what a sender does. The
// secret is one of EVENTS_SECRET's; id is the request's, without a dot, and stays
// when it is sent again. A secret that cannot be read signs nothing.
func Sign(h http.Header, secret commerce.Secret, id string, now time.Time, body []byte) {
	key, err := keyOf(secret)
	if err != nil {
		return
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, stamp)
	h.Set(HeaderSignature, version+base64.StdEncoding.EncodeToString(mac(key, id+"."+stamp+".", body)))
}
