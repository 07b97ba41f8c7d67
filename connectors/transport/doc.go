// Package transport is the one place where a call to an upstream is made safe:
// deadlines, retries, limits and redaction live here, so that no connector
// writes a retry loop or reads an unbounded body.
//
// What a call may do follows from its [commerce.Traits], never from its HTTP
// method: an operation declared Read may be repeated even when it is a POST; a
// Write reaches the wire at most once. stack.go shows every layer in order.
//
// # Defaults
//
//	attempts            3, Reads only, on connect error, reset before the answer, 429, 502, 503, 504
//	backoff             full jitter, base 25 ms, cap 1 s
//	Retry-After         clamped to [backoff, min(2 s, what remains)]; more than remains: give up at once
//	attempt timeout     2 s, headers and body; a Write's is the operation's
//	operation timeout   5 s, and always 10 ms less than the caller has left
//	answer              2 MiB once decoded, headers 64 KiB, JSON depth 64, redirects not followed
//	connections         64 idle and 128 in all per host, dial 1 s, TLS 1.2 or newer within 2 s
//	addresses           loopback, private, link-local and other special ranges refused at dial time
//
// # Errors
//
// Every error is a [commerce.CallError] with constant texts: no URL, query,
// header or body reaches a log through it. [context.Canceled] passes unchanged,
// unless a Write may have left: its outcome is unknown, and that must not get lost.
package transport
