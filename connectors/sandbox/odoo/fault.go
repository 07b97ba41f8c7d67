package odoo

import (
	"fmt"
	"html"
	"net/http"
)

// fault is an error as the API answers it.
type fault struct {
	Status  int
	Name    string // the exception's class: "werkzeug.exceptions.NotFound"
	Message string
}

func (f *fault) Error() string { return f.Name + ": " + f.Message }

// faultBody is a fault on the wire. Debug is a traceback that clients must keep to themselves.
type faultBody struct {
	Name      string   `json:"name"`
	Message   string   `json:"message"`
	Arguments []any    `json:"arguments"`
	Context   struct{} `json:"context"`
	Debug     string   `json:"debug"`
}

func (f *fault) body() faultBody {
	return faultBody{
		Name: f.Name, Message: f.Message, Arguments: []any{f.Message, f.Status},
		Debug: fmt.Sprintf("Traceback (most recent call last):\n"+
			"  File \"/opt/odoo/odoo/http.py\", line 2212, in _transactioning\n"+
			"    return service_model.retrying(func, env=self.env)\n"+
			"  File \"/opt/odoo/addons/rpc/controllers/json2.py\", line 61, in web_json_2_rpc\n"+
			"%s: %s\n", f.Name, f.Message),
	}
}

func werkzeug(status int, class, message string) *fault {
	return &fault{Status: status, Name: "werkzeug.exceptions." + class, Message: message}
}

// unprocessable is what wrong argument names meet.
func unprocessable(message string) *fault {
	return werkzeug(http.StatusUnprocessableEntity, "UnprocessableEntity", message)
}

// valueError is what a field, domain or order that does not exist meets.
func valueError(format string, args ...any) *fault {
	return &fault{Status: http.StatusInternalServerError, Name: "builtins.ValueError", Message: fmt.Sprintf(format, args...)}
}

// missing is what reading a record that does not exist meets.
func missing(model string, id int) *fault {
	return &fault{
		Status: http.StatusNotFound, Name: "odoo.exceptions.MissingError",
		Message: fmt.Sprintf("Record does not exist or has been deleted.\n(Record: %s(%d,), User: 2)", model, id),
	}
}

// page is what the server says where no API route is: HTML.
func page(rw http.ResponseWriter, status int, title string) {
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = fmt.Fprintf(rw, "<!doctype html>\n<html lang=en>\n<title>%d %s</title>\n<h1>%s</h1>\n", status, html.EscapeString(title), html.EscapeString(title))
}

func notFoundPage(rw http.ResponseWriter) { page(rw, http.StatusNotFound, "Not Found") }
