// Package commerce is what every room of Portico agrees on: the domain's types,
// the ports that connectors implement, the kinds of error and the report of
// where a value came from.
//
// It imports the standard library and the money library only. Each file holds
// one subject: its types and its ports. Ports are small, batch first, and join
// by key, never by position.
//
// # Batches
//
// A batch port answers a map. A key that is absent was not found; that is no
// error. When some keys could not be asked, the map holds the others and the
// error is a [BatchError]; [KeyError] tells what one key met. A map is valid
// even when the error is not nil.
//
// # Sharing
//
// Values behind pointers are shared between requests once they were cached.
// Nobody changes a value that a port returned.
package commerce
