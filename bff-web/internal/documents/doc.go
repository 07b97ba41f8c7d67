// Package documents holds the trusted documents of the web channel: the GraphQL
// documents that a shop's own clients were built with, published as one manifest
// per client and version. A request names one by its id, and only what is
// published can be asked for.
//
// Manifests come from a directory, from Redis, or from both. Every document is
// parsed, validated and held to the limits once, when its manifest is loaded; a
// request finds it ready. Sources are looked at again at an interval of their own;
// a new set replaces the old one at once, and requests under way end with the
// document that they began with. What cannot be used is reported with its file, its
// id and the cause, and the last manifest that could be used stays.
package documents
