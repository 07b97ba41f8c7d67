package commerce

import "time"

// Words for how a call or an attempt ended, beside the reasons of failures.
const (
	OutcomeOK       = "ok"
	OutcomeRefused  = "refused"  // a 4xx answer: the upstream is well
	OutcomeCanceled = "canceled" // the caller left, or the other attempt of a hedge was first
)

// Call is one call of an upstream as the transport saw it. It holds names from the
// configuration, words of ours and figures: nothing of what was asked or answered.
type Call struct {
	System    string
	Operation Operation
	Step      string // which of the operation's requests; empty when there is one
	Keys      int    // those of the load that the call was made for; 0 unknown

	Began      time.Time
	Took       time.Duration // until it ended, waits included; 0 while it is open
	Open       bool          // still under way
	Outcome    string        // an Outcome… or a [Reason]; empty while it is open
	RetryAfter time.Duration // when it is worth trying again; 0 unknown
	Bytes      int64         // of the answer's body, decoded
	Wire       int64         // of the same on the wire; -1 unknown

	Tries    int               // attempts begun; those beyond the list's room are counted only
	Attempts [MaxTried]Attempt // the first Tries of them, in the order they began
}

// MaxTried is how many attempts of a call are kept: three with a hedge each.
const MaxTried = 6

// Attempt is one attempt of a call.
type Attempt struct {
	After   time.Duration // since the call began
	Took    time.Duration // until it ended, the queue included; 0 while it is open
	Queued  time.Duration // of it, in the queue of the system's bulkhead
	Outcome string        // as a call's; empty while it is open
	Status  int16         // of the HTTP answer; 0 without one
	Hedge   bool          // a second attempt beside a slow one
	Open    bool
}

// CallRecord is a call that is being recorded. All methods take nil, which records
// nothing.
type CallRecord struct {
	of   *Trail
	next *CallRecord
	call Call
}

// Attempt begins an attempt and answers its number, from 0.
func (r *CallRecord) Attempt(hedge bool) int {
	if r == nil {
		return 0
	}
	after := time.Since(r.call.Began)
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	n := r.call.Tries
	r.call.Tries++
	if n < MaxTried {
		r.call.Attempts[n] = Attempt{After: after, Hedge: hedge, Open: true}
	}
	return n
}

// Queued says that attempt n waited for a place for d.
func (r *CallRecord) Queued(n int, d time.Duration) {
	if r == nil || n >= MaxTried {
		return
	}
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	r.call.Attempts[n].Queued = d
}

// Attempted ends attempt n: status is its answer's, 0 without one, outcome the word
// for how it ended.
func (r *CallRecord) Attempted(n, status int, outcome string) {
	if r == nil || n >= MaxTried {
		return
	}
	now := time.Since(r.call.Began)
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	a := &r.call.Attempts[n]
	a.Took, a.Status, a.Outcome, a.Open = now-a.After, int16(status), outcome, false //nolint:gosec // a status has three digits
}

// Answered says how large the answer is, in bytes; wire is -1 when it is not known.
func (r *CallRecord) Answered(decoded, wire int64) {
	if r == nil {
		return
	}
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	r.call.Bytes, r.call.Wire = decoded, wire
}

// End ends the call: outcome is the word for how, retryAfter 0 when unknown.
func (r *CallRecord) End(outcome string, retryAfter time.Duration) {
	if r == nil {
		return
	}
	took := time.Since(r.call.Began)
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	r.call.Took, r.call.Outcome, r.call.RetryAfter, r.call.Open = took, outcome, retryAfter, false
}
