package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/portico-bff/portico/connectors/sandbox/world"
)

// control mounts the control API. What cannot be used is 400 with {"field","message"}.
func (s *Server) control() {
	handle := func(pattern string, handler func(r *http.Request) (any, error)) {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
			answer, err := handler(r)
			respond(w, answer, err)
		})
	}
	handle("GET /_sandbox/healthz", func(*http.Request) (any, error) { return map[string]string{"status": "ok"}, nil })
	handle("GET /_sandbox/faults", func(*http.Request) (any, error) { return s.Faults(), nil })
	handle("POST /_sandbox/faults", s.postFault)
	handle("DELETE /_sandbox/faults", func(*http.Request) (any, error) { s.ClearFaults(); return nil, nil }) //nolint:nilnil // no content
	handle("GET /_sandbox/calls", func(*http.Request) (any, error) { return s.Calls(), nil })
	handle("DELETE /_sandbox/calls", func(*http.Request) (any, error) { s.ResetCalls(); return nil, nil }) //nolint:nilnil // no content
	handle("GET /_sandbox/bytes", func(*http.Request) (any, error) { return s.Bytes(), nil })
	handle("POST /_sandbox/reset", func(*http.Request) (any, error) { s.Reset(); return nil, nil }) //nolint:nilnil // no content
	handle("POST /_sandbox/world", s.postWorld)
	handle("POST /_sandbox/token", s.postToken)
	handle("GET /_sandbox/jwks.json", func(*http.Request) (any, error) { return s.signer.public() })
	handle("GET /_sandbox/customers", func(*http.Request) (any, error) { return s.tryable(), nil })
}

// Reset goes back to the start: the world, no faults, nothing counted. The key of the tokens stays.
func (s *Server) Reset() {
	s.ClearFaults()
	s.World.Reset()
	s.ResetCalls()
}

func (s *Server) postFault(r *http.Request) (any, error) {
	var sent struct {
		Fault
		ErrorRate *float64 `json:"errorRate"` // hides the Fault's, so that leaving it out can mean always
	}
	if err := decode(r, &sent); err != nil {
		return nil, err
	}
	fault := sent.Fault
	if sent.ErrorRate != nil {
		fault.ErrorRate = *sent.ErrorRate
	} else if fault.Mode != "" || fault.Status != 0 {
		fault.ErrorRate = 1
	}
	if err := s.SetFault(fault); err != nil {
		return nil, err
	}
	return s.Faults(), nil
}

// errUnknownCustomer is answered with 404.
var errUnknownCustomer = &FieldError{Field: "customer", Message: "is not a customer; see /_sandbox/customers"}

func (s *Server) postToken(r *http.Request) (any, error) {
	var sent struct {
		Customer string `json:"customer"`
	}
	if err := decode(r, &sent); err != nil {
		return nil, err
	}
	token, ok, err := s.Token(sent.Customer)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errUnknownCustomer
	}
	return map[string]string{"token": token}, nil
}

// decode reads exactly one JSON object without unknown fields.
func decode(r *http.Request, into any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			return &FieldError{Field: "", Message: "must be one JSON object"}
		}
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		name := wrong.Field[strings.LastIndex(wrong.Field, ".")+1:]
		return &FieldError{Field: name, Message: "must be a " + strings.NewReplacer("int", "whole number", "float64", "number").Replace(wrong.Type.String())}
	}
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return &FieldError{Field: strings.Trim(name, `"`), Message: "is not known"}
	}
	return &FieldError{Field: "", Message: "must be one JSON object"}
}

// respond writes answer as JSON, nil as 204.
func respond(w http.ResponseWriter, answer any, err error) {
	status := http.StatusOK
	if err != nil {
		status = http.StatusInternalServerError
		answer = map[string]string{"message": "internal error"}
		if field, ok := errors.AsType[*FieldError](err); ok {
			status, answer = http.StatusBadRequest, field
			if field == errUnknownCustomer {
				status = http.StatusNotFound
			}
		}
	}
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

// tryableCustomer is somebody to sign in as.
type tryableCustomer struct {
	Customer   string `json:"customer"` // goes into POST /_sandbox/token
	Name       string `json:"name"`
	Email      string `json:"email"`
	PriceGroup string `json:"priceGroup"`
	Orders     int    `json:"orders"`
}

// tryable picks two customers each of retail and wholesale, with and without a history.
func (s *Server) tryable() []tryableCustomer {
	const each = 2
	orders := map[string]int{}
	for _, o := range s.World.Orders() {
		orders[o.CustomerNumber]++
	}
	type sort struct {
		group   string
		history bool
	}
	picked := map[sort]int{}
	list := []tryableCustomer{}
	// People before shops: they are what most want to try.
	for _, group := range []string{world.Retail, world.Wholesale} {
		for _, c := range s.World.Customers() {
			kind := sort{c.Group, orders[c.Number] > 0}
			if c.Group != group || picked[kind] == each {
				continue
			}
			picked[kind]++
			list = append(list, tryableCustomer{
				Customer: c.Number, Name: c.FirstName + " " + c.LastName, Email: c.Email, PriceGroup: c.Group, Orders: orders[c.Number],
			})
		}
	}
	return list
}
