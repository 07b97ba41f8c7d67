package sandbox

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fault is a rule about how calls to a system go wrong. JSON is the control API's.
type Fault struct {
	System    string  `json:"system"`              // "pimcore", "elasticsearch", "odoo", "openloyalty", "magento", or "*"
	Operation string  `json:"operation"`           // as counted in /_sandbox/calls, or "*"; empty means "*"
	LatencyMs int     `json:"latencyMs,omitempty"` // before anything else happens; 0 to 120000
	Jitter    string  `json:"jitter,omitempty"`    // "none" (default): exactly LatencyMs; "pareto": heavy-tailed with that mean
	ErrorRate float64 `json:"errorRate,omitempty"` // share of calls that fail, 0 to 1; 0 makes the rule latency alone, whatever its mode
	Status    int     `json:"status,omitempty"`    // of mode "status", 400 to 599; default 503; the other modes have none
	Mode      string  `json:"mode,omitempty"`      // how calls fail, one of the Mode constants; default "status"
}

// How a call fails. In ModeTruncate and ModeDrip the system does what it was asked
// for, in the others the call never reaches it.
const (
	ModeStatus   = "status"   // an HTTP error with a page of HTML, as from a proxy in front
	ModeHang     = "hang"     // no answer until the caller gives up
	ModeReset    = "reset"    // the connection is reset
	ModeTruncate = "truncate" // half of the answer, though its length promises all
	ModeGarbage  = "garbage"  // 200 with bytes that mean nothing
	ModeDrip     = "drip"     // the answer, a byte now and then
)

// How latency is spread.
const (
	JitterNone   = "none"
	JitterPareto = "pareto"
)

// maxLatencyMs keeps a delayed answer below the server's write timeout.
const maxLatencyMs = 120_000

var (
	modes   = []string{ModeStatus, ModeHang, ModeReset, ModeTruncate, ModeGarbage, ModeDrip}
	jitters = []string{JitterNone, JitterPareto}
)

// FieldError is a field of a control request that cannot be used.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

// complete fills in defaults and checks every field; systems are the names that can be used.
func (f Fault) complete(systems []string) (Fault, error) {
	if f.Operation == "" {
		f.Operation = "*"
	}
	if f.Jitter == "" {
		f.Jitter = JitterNone
	}
	if f.Mode == "" {
		f.Mode = ModeStatus
	}
	if f.Status == 0 && f.Mode == ModeStatus {
		f.Status = http.StatusServiceUnavailable
	}
	checks := []struct {
		ok             bool
		field, message string
	}{
		{f.System == "*" || slices.Contains(systems, f.System), "system", "must be * or one of " + strings.Join(systems, ", ")},
		{f.LatencyMs >= 0 && f.LatencyMs <= maxLatencyMs, "latencyMs", fmt.Sprintf("must be between 0 and %d", maxLatencyMs)},
		{slices.Contains(jitters, f.Jitter), "jitter", "must be one of " + strings.Join(jitters, ", ")},
		{f.ErrorRate >= 0 && f.ErrorRate <= 1, "errorRate", "must be between 0 and 1"},
		{slices.Contains(modes, f.Mode), "mode", "must be one of " + strings.Join(modes, ", ")},
		{f.Status == 0 || (f.Status >= 400 && f.Status <= 599), "status", "must be between 400 and 599"},
	}
	for _, c := range checks {
		if !c.ok {
			return f, &FieldError{Field: c.field, Message: c.message}
		}
	}
	if f.Mode != ModeStatus {
		f.Status = 0 // a rule may be written with all fields, whatever its mode
	}
	return f, nil
}

func (f Fault) matches(system, operation string) bool {
	return (f.System == "*" || f.System == system) && (f.Operation == "*" || f.Operation == operation)
}

// fails decides one call's fate.
func (f Fault) fails() bool {
	return f.ErrorRate > 0 && rand.Float64() < f.ErrorRate //nolint:gosec // a die, not a secret
}

// The Pareto distribution of latencies: mean LatencyMs, median 0.7, 99th percentile 5 and 99.9th 16 times that.
const (
	paretoShape = 2
	paretoCap   = 50
)

// latency is how long one call is kept waiting.
func (f Fault) latency() time.Duration {
	d := time.Duration(f.LatencyMs) * time.Millisecond
	if f.Jitter != JitterPareto || d == 0 {
		return d
	}
	least := float64(d) / paretoShape
	tail := least * math.Pow(1-rand.Float64(), -1.0/paretoShape) //nolint:gosec // a die, not a secret
	return min(time.Duration(min(tail, paretoCap*float64(d))), maxLatencyMs*time.Millisecond)
}

// faults are the rules in force, oldest first. The newest that matches a call decides it.
type faults struct {
	mu    sync.Mutex
	rules []Fault
}

func (f *faults) find(system, operation string) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, rule := range slices.Backward(f.rules) {
		if rule.matches(system, operation) {
			return rule, true
		}
	}
	return Fault{}, false
}

// SetFault puts a rule in force. It replaces an older one for the same system and operation, and
// decides before all older ones; a rule without latency and error rate exempts what it matches. What
// cannot be used is a [*FieldError].
func (s *Server) SetFault(f Fault) error {
	rule, err := f.complete(s.names)
	if err != nil {
		return err
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.rules = slices.DeleteFunc(s.faults.rules, func(old Fault) bool {
		return old.System == rule.System && old.Operation == rule.Operation
	})
	s.faults.rules = append(s.faults.rules, rule)
	return nil
}

// Faults answers the rules in force with their defaults filled in, oldest first. Never nil.
func (s *Server) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return append([]Fault{}, s.faults.rules...)
}

// ClearFaults ends all rules. Calls that hang go on hanging.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.rules = nil
}
