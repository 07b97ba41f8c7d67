package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// Section is a group of variables that belong together.
type Section struct {
	Title  string
	Prefix string // of every variable in it: "PIM_"
	Note   string // one paragraph under the title; may be empty
	Config any    // a struct, or a pointer to one, with env tags; only read as a type
}

// Doc renders the sections as markdown: a heading and a table of variable,
// default and meaning for each.
func Doc(sections ...Section) string {
	var b strings.Builder
	for i, s := range sections {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "### %s\n\n", s.Title)
		if s.Note != "" {
			fmt.Fprintf(&b, "%s\n\n", s.Note)
		}
		b.WriteString("| variable | default | meaning |\n| --- | --- | --- |\n")
		for _, f := range Fields(s.Config) {
			fmt.Fprintf(&b, "| `%s%s` | %s | %s |\n", s.Prefix, f.Key, f.defaultText(), f.meaning())
		}
	}
	return b.String()
}

func (f Field) defaultText() string {
	switch {
	case f.Required:
		return "*required*"
	case f.Default == "":
		return ""
	default:
		return "`" + escape(f.Default) + "`"
	}
}

func (f Field) meaning() string {
	if f.Secret {
		return escape(f.Doc) + " **Secret.**"
	}
	return escape(f.Doc)
}

func escape(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

// Effective lists what a decoded struct holds, as log attributes by variable
// name. Secrets are hidden, and so are credentials within URLs.
func Effective(prefix string, cfg any) []slog.Attr {
	v := reflect.Indirect(reflect.ValueOf(cfg))
	list := Fields(cfg)
	attrs := make([]slog.Attr, 0, len(list))
	for _, f := range list {
		attrs = append(attrs, slog.String(prefix+f.Key, f.show(v.FieldByIndex(f.index))))
	}
	return attrs
}

func (f Field) show(v reflect.Value) string {
	if f.Secret {
		if v.IsZero() {
			return ""
		}
		return commerce.Secret("set").String()
	}
	if v.Kind() == reflect.String {
		return withoutUserinfo(v.String())
	}
	return fmt.Sprint(v.Interface())
}

func withoutUserinfo(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.User == nil {
		return s
	}
	return u.Redacted()
}
