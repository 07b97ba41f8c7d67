// Package config reads settings from the environment into plain structs, and
// renders their documentation. It is the only package that knows the decoder:
// the structs' tags (env, envDefault, envPrefix, doc) are inert elsewhere.
package config

// Decode fills target, a pointer to a struct with env tags, from environ, a list
// of KEY=VALUE. Every variable's name begins with prefix, which may be empty.
// All bad values are reported at once, by name and never by value.
func Decode(environ []string, prefix string, target any) error { return nil }

// Section is a group of variables that belong together.
type Section struct {
	Title  string
	Prefix string // of every variable in it: "PIM_"
	Config any    // a struct, or a pointer to one, with env tags
}

// Doc renders the sections as markdown tables: variable, default, meaning.
func Doc(sections ...Section) string { return "" }
