package main

import (
	"os"
	"testing"
)

// The README's table is what the config structs say.
func TestREADMEIsCurrent(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	current, err := withTable(string(readme))
	if err != nil {
		t.Fatal(err)
	}
	if current != string(readme) {
		t.Error("the README's table of variables is not current: run `make generate`")
	}
}
