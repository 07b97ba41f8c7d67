package elasticsearch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// object is JSON on its way out.
type object = map[string]any

// plainFault is how the REST layer refuses, before an action is reached.
type plainFault struct {
	Error  string `json:"error"`
	Status int    `json:"status,omitempty"`
}

// cause is an exception as it stands in error bodies.
type cause struct {
	Type     string              `json:"type"`
	Reason   string              `json:"reason"`
	Line     int                 `json:"line,omitempty"`
	Col      int                 `json:"col,omitempty"`
	Index    string              `json:"index,omitempty"`
	Resource string              `json:"resource.id,omitempty"`
	Kind     string              `json:"resource.type,omitempty"`
	Header   map[string][]string `json:"header,omitempty"`
	CausedBy *cause              `json:"caused_by,omitempty"`
}

// fault is an action that failed.
type fault struct {
	status int
	cause  cause
	shard  bool   // it happened on the shard, so the search phase failed around it
	name   string // what is not known and caused the fault; empty in others
}

type failedShard struct {
	Shard  int    `json:"shard"`
	Index  string `json:"index"`
	Node   string `json:"node"`
	Reason cause  `json:"reason"`
}

type errorBody struct {
	cause
	RootCause []cause       `json:"root_cause"`
	Phase     string        `json:"phase,omitempty"`
	Grouped   bool          `json:"grouped,omitempty"`
	Failed    []failedShard `json:"failed_shards,omitempty"`
}

type faultBody struct {
	Error  errorBody `json:"error"`
	Status int       `json:"status"`
}

func (f *fault) body() faultBody {
	root := f.cause
	root.CausedBy = nil
	if !f.shard {
		return faultBody{Error: errorBody{cause: f.cause, RootCause: []cause{root}}, Status: f.status}
	}
	outer := cause{Type: "search_phase_execution_exception", Reason: "all shards failed"}
	if f.cause.Type == "illegal_argument_exception" {
		outer.CausedBy = &cause{Type: f.cause.Type, Reason: f.cause.Reason, CausedBy: &root}
	}
	return faultBody{
		Error: errorBody{
			cause: outer, RootCause: []cause{root}, Phase: "query", Grouped: true,
			Failed: []failedShard{{Index: f.cause.Index, Node: "sandbox", Reason: f.cause}},
		},
		Status: f.status,
	}
}

func illegal(format string, args ...any) *fault {
	return &fault{status: http.StatusBadRequest, cause: cause{Type: "illegal_argument_exception", Reason: fmt.Sprintf(format, args...)}}
}

// onShard is an illegal argument that only the shard finds.
func onShard(kind, format string, args ...any) *fault {
	return &fault{status: http.StatusBadRequest, shard: true, cause: cause{Type: kind, Reason: fmt.Sprintf(format, args...), Index: DefaultIndex}}
}

// parsing is a request that is not understood.
func parsing(format string, args ...any) *fault {
	return &fault{status: http.StatusBadRequest, cause: cause{Type: "parsing_exception", Reason: fmt.Sprintf(format, args...), Line: 1, Col: 1}}
}

// unknownName is a query or an aggregation that does not exist.
func unknownName(what, name string) *fault {
	f := parsing("%s [%s]", what, name)
	f.cause.CausedBy = &cause{Type: "named_object_not_found_exception", Reason: "unknown field [" + name + "]"}
	f.name = name
	return f
}

// located points a parsing fault at where the unknown name stands in the body.
func (f *fault) located(body []byte) *fault {
	if f == nil || f.name == "" {
		return f
	}
	at := bytes.Index(body, []byte(strconv.Quote(f.name)))
	if at < 0 {
		return f
	}
	before := body[:at]
	f.cause.Line = 1 + bytes.Count(before, []byte("\n"))
	f.cause.Col = at - bytes.LastIndexByte(before, '\n')
	if by := f.cause.CausedBy; by != nil {
		by.Reason = fmt.Sprintf("[%d:%d] unknown field [%s]", f.cause.Line, f.cause.Col, f.name)
	}
	return f
}

func noIndex(index string) *fault {
	return &fault{status: http.StatusNotFound, cause: cause{
		Type: "index_not_found_exception", Reason: "no such index [" + index + "]",
		Index: index, Resource: index, Kind: "index_or_alias",
	}}
}

var challenges = []string{`Basic realm="security", charset="UTF-8"`, `Bearer realm="security"`, "ApiKey"}

func unauthenticated(r *http.Request) *fault {
	reason := "missing authentication credentials for REST request [" + r.URL.RequestURI() + "]"
	if r.Header.Get("Authorization") != "" {
		reason = "unable to authenticate with provided credentials and anonymous access is not allowed for REST request [" + r.URL.RequestURI() + "]"
	}
	return &fault{status: http.StatusUnauthorized, cause: cause{
		Type: "security_exception", Reason: reason, Header: map[string][]string{"WWW-Authenticate": challenges},
	}}
}

// decode reads raw with numbers kept as text; what names the part for the fault.
func decode(raw json.RawMessage, v any, what string) *fault {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		return parsing("[%s] failed to parse", what)
	}
	return nil
}
