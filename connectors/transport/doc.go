// Package transport is the one place where a call to an upstream is made safe:
// deadlines, retries, limits and redaction live here, so that no connector
// writes a retry loop or reads an unbounded body.
//
// What a call may do follows from its [commerce.Traits], never from its HTTP
// method: an operation declared Read may be repeated even when it is a POST; a
// Write reaches the wire at most once. stack.go shows every layer in order;
// docs/resilience.md tells where each policy comes from and what can be set.
//
// # Defaults
//
//	deadline          5s (TIMEOUT; an operation may declare its own), and always 10ms less than the caller has left
//	attempts          3 at most (MAX_ATTEMPTS), Reads only; again on connect error, reset before the answer, 429, 502, 503, 504
//	backoff           full jitter: uniform on [0, min(1s, 25ms × 2ⁿ)]
//	Retry-After       waited for within [backoff, 2s]; where it is more than the call has left: given up at once
//	retry budget      per system; 20 tokens, −1 a failed attempt, +0.1 a good one; nothing is repeated at 10 or below
//	hedge             Reads; after the live p95 of 20 attempts or more, 1.5 × their median and 10ms at least; 0.05 earned a call, 10 kept (NO_HEDGE)
//	circuit breaker   per operation, or each of its requests; opens at 20 bad attempts in 10s that are half of all, or after 1s of nothing but bad ones, 5 or more; a probe every 1s, and a good one closes
//	bulkhead          per system; the limit starts at 32 and adapts between 8 and 128 (MAX_CONCURRENT); 128 wait, 250ms at most, Writes first
//	adaptive limit    an attempt is slow beyond 1.5 × its operation's pace + 10ms; decided every 100ms by 10 votes or more
//	attempt timeout   2s, headers and body (ATTEMPT_TIMEOUT); a Write's is the deadline, and so is a Read's that somebody patient waits for; none begins with less left than the median, 10ms at least and 1s at most
//	answer            2 MiB once decoded (MAX_BODY_BYTES; an operation may declare its own), headers 64 KiB, JSON depth 64, redirects not followed
//	connections       64 idle per host, as many as MAX_CONCURRENT in all, idle 30s, dial 1s, TLS 1.2 or newer within 2s
//	addresses         loopback, private, link-local and other special ranges refused at dial time (ALLOW_PRIVATE)
//	batches           pieces of 100 keys, or the operation's batch size; 4 at a time
//
// # Live state
//
// A [Registry] shows how every system stands: as values, and as metrics. The
// words for what became of a call are [commerce.Reason]'s, in logs, metrics and
// traces alike; "ok", "refused" (a 4xx answer) and "canceled" stand beside them.
//
// # Errors
//
// Every error is a [commerce.CallError] with constant texts: no URL, query,
// header or body reaches a log through it. [context.Canceled] passes unchanged,
// unless a Write may have left: its outcome is unknown, and that must not get lost.
package transport
