// Package telemetrytest receives the traces of a test.
package telemetrytest

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
)

// Collector is an OTLP/HTTP receiver that decodes what arrives. It ends with its test.
type Collector struct {
	URL string // the base: OTEL_EXPORTER_OTLP_ENDPOINT

	mu       sync.Mutex
	received []*collector.ExportTraceServiceRequest
	odd      []string // what was not OTLP
	posts    int
	answer   http.HandlerFunc
}

// Span is one span as it arrived. Ids are in hex.
type Span struct {
	Name, Kind       string // the kind as "SERVER", "CLIENT", "INTERNAL"
	Trace, ID        string
	Parent           string // empty when there is none
	State            string // the trace's
	Attributes       map[string]any
	Failed           bool
	Message          string // of a failure
	Links            []Link
	Service, Scope   string
	Events           []string
	BeganAt, EndedAt uint64 // in nanoseconds since 1970
}

// Link is where a span points to.
type Link struct {
	Trace, ID  string
	Attributes map[string]any
}

// Start starts a collector on a free port of the loopback.
func Start(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Answer makes the collector answer with h what it did not decode; nil makes it decode again.
func (c *Collector) Answer(h http.HandlerFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = h
}

// ServeHTTP receives one export.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.posts++
	answer := c.answer
	c.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	export, err := decode(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.odd = append(c.odd, err.Error())
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.received = append(c.received, export)
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(http.StatusOK) // an empty message
}

func decode(r *http.Request) (*collector.ExportTraceServiceRequest, error) {
	if r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
		return nil, fmt.Errorf("not an export of traces: %s %s, %s", r.Method, r.URL.Path, r.Header.Get("Content-Type"))
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		inflated, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		body = inflated
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	export := &collector.ExportTraceServiceRequest{}
	return export, proto.Unmarshal(data, export)
}

// Posts is how often something was sent.
func (c *Collector) Posts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.posts
}

// Text is everything that arrived, decoded and written out: names, values and all.
func (c *Collector) Text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, export := range c.received {
		b.WriteString(prototext.Format(export))
	}
	return b.String()
}

// Spans are those that arrived, in the order in which they came.
func (c *Collector) Spans(t testing.TB) []Span {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	require.Empty(t, c.odd, "something else than OTLP arrived")
	var list []Span
	for _, export := range c.received {
		for _, from := range export.GetResourceSpans() {
			service, _ := attributes(from.GetResource().GetAttributes())["service.name"].(string)
			for _, scope := range from.GetScopeSpans() {
				for _, s := range scope.GetSpans() {
					list = append(list, spanOf(s, service, scope.GetScope().GetName()))
				}
			}
		}
	}
	return list
}

// Named are the spans of that name.
func (c *Collector) Named(t testing.TB, name string) []Span {
	t.Helper()
	var list []Span
	for _, s := range c.Spans(t) {
		if s.Name == name {
			list = append(list, s)
		}
	}
	return list
}

// Below are the spans whose parent is s.
func (c *Collector) Below(t testing.TB, s Span) []Span {
	t.Helper()
	var list []Span
	for _, child := range c.Spans(t) {
		if child.Parent == s.ID && child.Trace == s.Trace {
			list = append(list, child)
		}
	}
	return list
}

func spanOf(s *traces.Span, service, scope string) Span {
	span := Span{
		Name: s.GetName(), Kind: strings.TrimPrefix(s.GetKind().String(), "SPAN_KIND_"),
		Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
		State: s.GetTraceState(), Attributes: attributes(s.GetAttributes()),
		Failed: s.GetStatus().GetCode() == traces.Status_STATUS_CODE_ERROR, Message: s.GetStatus().GetMessage(),
		Service: service, Scope: scope, BeganAt: s.GetStartTimeUnixNano(), EndedAt: s.GetEndTimeUnixNano(),
	}
	for _, l := range s.GetLinks() {
		span.Links = append(span.Links, Link{
			Trace: hex.EncodeToString(l.GetTraceId()), ID: hex.EncodeToString(l.GetSpanId()), Attributes: attributes(l.GetAttributes()),
		})
	}
	for _, e := range s.GetEvents() {
		span.Events = append(span.Events, e.GetName())
	}
	return span
}

// attributes keeps texts, numbers, truths and lists of texts, which is all there is.
func attributes(list []*common.KeyValue) map[string]any {
	all := map[string]any{}
	for _, a := range list {
		all[a.GetKey()] = valueOf(a.GetValue())
	}
	return all
}

func valueOf(v *common.AnyValue) any {
	switch v := v.GetValue().(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_IntValue:
		return v.IntValue
	case *common.AnyValue_BoolValue:
		return v.BoolValue
	case *common.AnyValue_ArrayValue:
		var texts []string
		for _, item := range v.ArrayValue.GetValues() {
			texts = append(texts, item.GetStringValue())
		}
		return texts
	default:
		return fmt.Sprint(v)
	}
}
