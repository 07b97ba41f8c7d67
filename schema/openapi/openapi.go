// Package openapi holds the contract of the mobile channel, written before the
// code: types are generated from it and answers are checked against it.
package openapi

import _ "embed"

// Mobile is the OpenAPI 3.1 document of the mobile channel, as YAML.
//
//go:embed mobile.yaml
var Mobile []byte
