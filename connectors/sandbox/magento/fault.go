package magento

import (
	"encoding/json"
	"errors"
	"net/http"
)

// fault is an error as Magento words it: the message's placeholders are left
// unfilled, %1 for a list of parameters and %name for a map.
type fault struct {
	Status     int     `json:"-"`
	Message    string  `json:"message"`
	Parameters any     `json:"parameters,omitempty"`
	Errors     []fault `json:"errors,omitempty"`
}

func (f *fault) Error() string { return f.Message }

var (
	errNoRoute = &fault{Status: http.StatusNotFound, Message: "Request does not match any route."}
	errCoupon  = &fault{Status: http.StatusNotFound, Message: "The coupon code isn't valid. Verify the code and try again."}
)

// badRequest is a refusal with a list of parameters.
func badRequest(message string, parameters ...any) *fault {
	f := &fault{Status: http.StatusBadRequest, Message: message}
	if len(parameters) > 0 {
		f.Parameters = parameters
	}
	return f
}

// required says that a parameter is missing.
func required(field string) *fault {
	return &fault{
		Status: http.StatusBadRequest, Message: "One or more input exceptions have occurred.",
		Errors: []fault{{Message: `"%fieldName" is required. Enter and try again.`, Parameters: map[string]string{"fieldName": field}}},
	}
}

// badValue says that a value cannot be.
func badValue(field, value string) *fault {
	return &fault{
		Status: http.StatusBadRequest, Message: `Invalid value of "%value" provided for the %fieldName field.`,
		Parameters: map[string]string{"fieldName": field, "value": value},
	}
}

// noEntity says that there is nothing of that id. Magento answers it for inactive carts, too.
func noEntity(field, value string) *fault {
	return &fault{
		Status: http.StatusNotFound, Message: "No such entity with %fieldName = %fieldValue",
		Parameters: map[string]string{"fieldName": field, "fieldValue": value},
	}
}

// notFound is an absence with a list of parameters.
func notFound(message string, parameters ...any) *fault {
	f := badRequest(message, parameters...)
	f.Status = http.StatusNotFound
	return f
}

// unauthorized is what a caller without the right gets.
func unauthorized(resource string) *fault {
	return &fault{
		Status: http.StatusUnauthorized, Message: "The consumer isn't authorized to access %resources.",
		Parameters: map[string]string{"resources": resource},
	}
}

func writeFault(w http.ResponseWriter, err error) {
	f, ok := errors.AsType[*fault](err)
	if !ok {
		f = &fault{Status: http.StatusInternalServerError, Message: "Internal Error. Details are available in Magento log file. Report ID: webapi-65f2a1"}
	}
	writeJSON(w, f.Status, f)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"messages":{"error":[{"code":500,"message":"Server internal error. See details in report api/123"}]}}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
