// Package events takes the systems' word that something changed, and has every
// answer made of it dropped, on all nodes.
//
// # What is received
//
// POST /events takes CloudEvents 1.0 in structured JSON, one
// (application/cloudevents+json) or a batch (application/cloudevents-batch+json),
// of at most 64 KiB. An event's source is the role of one of the process's systems
// ("pim"), or a name that EVENTS_SOURCES gives it; its type and data are the
// system's own, mapped to tags by the system's kind. A source that no mapper speaks
// for (a middleware, an importer) sends the type portico.invalidate, whose data is
// {"tags": ["product:…"]}.
//
// # Who may send
//
// Requests are signed as Standard Webhooks 1.0.0 says: HMAC-SHA256 over
//
//	webhook-id "." webhook-timestamp "." raw body
//
// in base64, as "v1,…" in webhook-signature, which may hold several, separated by
// spaces. A secret of the form whsec_… is base64; any other is taken as it is. The
// timestamp, in seconds, may be five minutes off. An event is known by its source
// and id for fifteen minutes: a request sent again within that time is answered 202
// like the first and does nothing. Whoever is refused (401) is not told why.
//
// # What happens to it
//
// With Redis, an event is put on the stream portico:events (kept for seven days by
// Redis's own clock, up to a million) and its id remembered, in one atomic step; one consumer group
// applies it, whichever node gets to it. An event whose consumer died is taken over
// after 30 s; one that could not be applied three times is given up with a warning,
// and everything of its system is dropped instead. The stream holds tags and no
// payloads: those may be about people. Redis may take two seconds for an event, and
// five for a request; then the answer is 503, and the sender has to come again. Without Redis an event is applied before it
// is answered, to this process.
package events
