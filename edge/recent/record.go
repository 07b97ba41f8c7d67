package recent

import (
	"context"
	"encoding/json"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/edge/timing"
	"github.com/portico-bff/portico/edge/waterfall"
	"github.com/portico-bff/portico/schema/commerce"
)

// Bounds of one record. What is beyond them is counted.
const (
	maxParts = 20
	maxLines = 64 // of calls, and of reads
	maxName  = 64 // of what a client calls its operation, in bytes
)

// shown is a request as /requests shows it.
type shown struct {
	Number    uint64               `json:"number"` // counts from the process's beginning
	At        time.Time            `json:"at"`     // when it came in
	Why       []string             `json:"why"`    // failed, degraded, slow, or slowest
	RequestID string               `json:"requestId"`
	TraceID   string               `json:"traceId,omitempty"`
	Method    string               `json:"method"`
	Route     string               `json:"route"`
	Operation string               `json:"operation,omitempty"`
	Document  string               `json:"document,omitempty"`
	Market    *place               `json:"market,omitempty"` // nil: it did not get that far
	Status    int                  `json:"status"`
	MS        float64              `json:"ms"`
	Answer    string               `json:"answer,omitempty"`
	Errors    []string             `json:"errors,omitempty"`
	Parts     []Part               `json:"parts,omitempty"`
	MoreParts int                  `json:"moreParts,omitempty"`
	Waterfall *waterfall.Waterfall `json:"waterfall,omitempty"` // nil: nothing was executed
	MoreReads int                  `json:"moreReads,omitempty"` // of the waterfall
}

// place is where a request shopped.
type place struct {
	Channel  string `json:"channel"`
	Locale   string `json:"locale"`
	Currency string `json:"currency"`
	Country  string `json:"country"`
}

// recordOf writes down q, which was answered at now.
func recordOf(ctx context.Context, number uint64, q *Request, words []string, now time.Time) record {
	began := now.Add(-q.Duration)
	s := shown{
		Number: number, At: began.UTC(), Why: words, RequestID: q.ID, Method: q.Method, Route: q.Route,
		Operation: q.Operation[:min(len(q.Operation), maxName)], Status: q.Status, MS: timing.Milliseconds(q.Duration), Answer: q.Answer,
	}
	if id := trace.SpanContextFromContext(ctx).TraceID(); id.IsValid() {
		s.TraceID = id.String()
	}
	if q.Err != nil {
		s.Errors = []string{string(commerce.ReasonOf(q.Err))}
	}
	if q.Made != nil {
		s.made(q.Made, began, now)
	}
	text, err := json.Marshal(&s) // texts, times and numbers
	if err != nil {
		text = []byte("null")
	}
	return record{number: number, text: text}
}

func (s *shown) made(m *Made, began, now time.Time) {
	if m.Document != nil {
		s.Document = m.Document.ID()
	}
	if p := place(m.Market); p != (place{}) {
		s.Market = &p
	}
	if m.Tell != nil {
		told := m.Tell()
		s.Parts, s.Errors = together(told.Parts), unique(s.Errors, told.Errors)
	}
	if more := len(s.Parts) - maxParts; more > 0 {
		s.Parts, s.MoreParts = s.Parts[:maxParts], more
	}
	if m.Spent == nil {
		return
	}
	w := waterfall.Of(began, now, m.Spent, nil)
	if more := len(w.Calls) - maxLines; more > 0 {
		w.Calls, w.Omitted = w.Calls[:maxLines], w.Omitted+more
	}
	if more := len(w.Reads) - maxLines; more > 0 {
		w.Reads, s.MoreReads = w.Reads[:maxLines], more
	}
	s.Waterfall = w
}

// together makes one part of those that are alike but for their places in lists.
func together(parts []Part) []Part {
	type alike struct {
		part, system string
		state        commerce.State
		reason       commerce.Reason
	}
	var list []Part
	at := map[alike]int{}
	for _, p := range parts {
		of := alike{p.Part, p.System, p.State, p.Reason}
		i, known := at[of]
		if !known {
			at[of] = len(list)
			list = append(list, p)
			continue
		}
		have := &list[i]
		have.Count += p.Count
		have.AgeMS, have.RetryAfterMS = max(have.AgeMS, p.AgeMS), max(have.RetryAfterMS, p.RetryAfterMS)
	}
	return list
}

// unique are the words of both, each once.
func unique(words, more []string) []string {
	seen := map[string]bool{}
	var list []string
	for _, each := range [][]string{words, more} {
		for _, word := range each {
			if !seen[word] {
				seen[word] = true
				list = append(list, word)
			}
		}
	}
	return list
}
