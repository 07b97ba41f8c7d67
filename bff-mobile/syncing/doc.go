// Package syncing is how an app keeps a copy of the catalogue: first all of it, page by
// page, and from then on what changed. A cursor says how far an app came; the server
// remembers nothing of it.
//
// A walk begins at the head of the journal of changes, lists what is published and
// reads it through the cached ports. What changes while it is under way comes behind the
// place where it began, and is told afterwards. What an app is told may be newer than its
// place, so that the same comes once more; it is never older. For this a place is given
// out only once everything up to it is invalidated in this process, and a node that
// does not know yet of what the app's place is behind waits for it.
//
// Told are products, pages of content and the tree of categories, as they are in one
// market. Prices and stock are not.
package syncing
