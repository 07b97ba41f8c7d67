// Package api holds the types that go over the mobile channel's wire. They are
// generated from the contract and never edited.
package api

//go:generate go tool oapi-codegen -config oapi-codegen.yaml ../../../schema/openapi/mobile.yaml
