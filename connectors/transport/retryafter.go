package transport

import (
	"math"
	"net/http"
	"strings"
	"time"
)

// longestReport bounds the RetryAfter that errors carry to clients.
const longestReport = time.Hour

// askedWait is the longest wait that an answer asks for; 0 when it asks for none.
func askedWait(res *http.Response) time.Duration {
	if res == nil {
		return 0
	}
	return retryAfter(res.Header, time.Now())
}

// reportedWait is what a failed call's error says of it.
func reportedWait(header http.Header) time.Duration {
	return min(retryAfter(header, time.Now()), longestReport)
}

// retryAfter reads every Retry-After header, as seconds or as an HTTP date, and
// answers the longest. What is negative, past or neither form counts as 0; what
// is too large for a duration saturates.
func retryAfter(header http.Header, now time.Time) time.Duration {
	var longest time.Duration
	for _, value := range header.Values("Retry-After") {
		longest = max(longest, parseRetryAfter(strings.TrimSpace(value), now))
	}
	return longest
}

func parseRetryAfter(value string, now time.Time) time.Duration {
	if value == "" || len(value) > 64 {
		return 0
	}
	if isDigits(value) {
		return seconds(value)
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return max(0, date.Sub(now)) // Sub saturates
}

func isDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

func seconds(digits string) time.Duration {
	const most = int64(math.MaxInt64 / time.Second)
	var n int64
	for _, d := range digits {
		n = n*10 + int64(d-'0')
		if n > most {
			return math.MaxInt64
		}
	}
	return time.Duration(n) * time.Second
}
