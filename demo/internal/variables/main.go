// Command variables writes the README's table of variables from the config structs.
package main

import (
	"fmt"
	"os"
	"strings"

	bffmobile "github.com/portico-bff/portico/bff-mobile"
	bffweb "github.com/portico-bff/portico/bff-web"
	"github.com/portico-bff/portico/connectors/sandbox"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/edge/config"
)

// The table stands between these lines.
const (
	begin = "<!-- variables: written by `make generate` -->\n"
	end   = "<!-- /variables -->"
)

func main() {
	const path = "../README.md" // go generate runs in demo
	readme, err := os.ReadFile(path)
	if err == nil {
		var current string
		if current, err = withTable(string(readme)); err == nil {
			err = os.WriteFile(path, []byte(current), 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// withTable is the README with the table put where it belongs.
func withTable(readme string) (string, error) {
	before, rest, found := strings.Cut(readme, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("README: no place for the table of variables: %q … %q", begin, end)
	}
	return before + begin + "\n" + table() + "\n" + end + after, nil
}

func table() string {
	sections := append(bffweb.Sections(), bffmobile.Sections()...)
	sections = append(sections, config.Section{Title: "Sandbox", Config: sandbox.Config{}})
	return config.Doc(append(sections, edge.Sections()...)...)
}
