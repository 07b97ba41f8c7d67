// Package api holds the types that go over the mobile channel's wire, and what the
// contract says of those that clients send. They are generated from the contract and
// never edited.
package api

//go:generate go tool oapi-codegen -config oapi-codegen.yaml ../../../schema/openapi/mobile.yaml
//go:generate go run ../rules/generate ../../../schema/openapi/mobile.yaml rules.gen.go
