// Package world is the one truth behind every imitated upstream: a catalog,
// stock, prices, customers and orders. The dialects of the sandbox only
// translate it, so a product bought through one of them is gone in all.
//
// It is loaded from the AdventureWorks sample data beside it (see data/SOURCE.txt
// and data/LICENSE). What the data lacks (people's names, e-mail addresses,
// most reviews, past orders) is made up from a fixed seed: every load gives the
// same world.
//
// Values behind pointers are shared and never change once they were handed out.
package world
