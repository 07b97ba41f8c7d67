package elasticsearch

import (
	"bytes"
	"encoding/json"
)

// documentBody is a document by id, found or not.
type documentBody struct {
	Index       string          `json:"_index"`
	ID          string          `json:"_id"`
	Version     int             `json:"_version,omitempty"`
	SeqNo       *int            `json:"_seq_no,omitempty"`
	PrimaryTerm int             `json:"_primary_term,omitempty"`
	Found       bool            `json:"found"`
	Source      json.RawMessage `json:"_source,omitempty"`
	Error       *errorBody      `json:"error,omitempty"`
}

// isMiss tells whether an answer is a document that is not there: its status is then 404.
func isMiss(result any) bool {
	d, ok := result.(documentBody)
	return ok && !d.Found
}

func (s *server) lookUp(index, id string, filter sourceFilter) documentBody {
	d := s.byID[id]
	if d == nil {
		return documentBody{Index: index, ID: id}
	}
	return documentBody{Index: index, ID: id, Version: 1, SeqNo: new(int), PrimaryTerm: 1, Found: true, Source: filter.apply(d)}
}

// get answers GET /{index}/_doc/{id}.
func (s *server) get(c call) (any, *fault) { return s.lookUp(c.index, c.id, sourceFilter{}), nil }

// source answers GET /{index}/_source/{id}.
func (s *server) source(c call) (any, *fault) {
	d := s.lookUp(c.index, c.id, sourceFilter{})
	if !d.Found {
		return nil, &fault{status: 404, cause: cause{
			Type: "resource_not_found_exception", Reason: "Document not found [" + c.index + "]/[" + c.id + "]",
		}}
	}
	return d.Source, nil
}

type multiGetDoc struct {
	Index  string          `json:"_index"`
	ID     string          `json:"_id"`
	Source json.RawMessage `json:"_source"`
}

// multiGet answers _mget: documents in the order asked for, those that are not there as not found.
func (s *server) multiGet(c call) (any, *fault) {
	var sent struct {
		IDs    []string        `json:"ids"`
		Docs   []multiGetDoc   `json:"docs"`
		Source json.RawMessage `json:"_source"`
	}
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil, parsing("request body or source parameter is required")
	}
	if f := known(c.body, &sent, "multi_get"); f != nil {
		return nil, f.located(c.body)
	}
	for _, id := range sent.IDs {
		sent.Docs = append(sent.Docs, multiGetDoc{ID: id})
	}
	if len(sent.Docs) == 0 {
		f := illegal("Validation Failed: 1: no documents to get;")
		f.cause.Type = "action_request_validation_exception"
		return nil, f
	}
	found := make([]documentBody, len(sent.Docs))
	for i, d := range sent.Docs {
		if d.Index == "" {
			d.Index = c.index
		}
		if len(d.Source) == 0 {
			d.Source = sent.Source
		}
		filter, f := parseSourceFilter(d.Source)
		switch {
		case f != nil:
			return nil, f
		case d.Index == "":
			f := illegal("Validation Failed: 1: index is missing for doc %d;", i)
			f.cause.Type = "action_request_validation_exception"
			return nil, f
		case d.Index != s.opts.Index:
			failed := noIndex(d.Index).body().Error
			found[i] = documentBody{Index: d.Index, ID: d.ID, Error: &failed}
		default:
			found[i] = s.lookUp(d.Index, d.ID, filter)
		}
	}
	return object{"docs": found}, nil
}

// count answers _count.
func (s *server) count(c call) (any, *fault) {
	var sent struct {
		Query json.RawMessage `json:"query"`
	}
	if len(bytes.TrimSpace(c.body)) > 0 {
		if f := known(c.body, &sent, "count"); f != nil {
			return nil, f.located(c.body)
		}
	}
	q, f := queryOr(sent.Query)
	if f != nil {
		return nil, f.located(c.body)
	}
	n := 0
	for _, d := range s.docs {
		if _, ok := q.match(d); ok {
			n++
		}
	}
	return object{"count": n, "_shards": oneShard}, nil
}
