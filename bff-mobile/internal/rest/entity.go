package rest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/gofiber/fiber/v2"

	"github.com/portico-bff/portico/bff-mobile/internal/encoding"
	"github.com/portico-bff/portico/bff-mobile/internal/web"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/schema/commerce"
)

// representation changes when what entity tags are made of does.
const representation = "portico-mobile/1"

// written is texts, written alike only when they are equal.
func written(texts ...string) []byte {
	var b []byte
	for _, text := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}

// seed is all that an answer depends on beside the versions of its parts: what is asked for,
// where, for whose prices and in which form. The bytes that are sent are in it, too: a strong
// tag never stands for two sequences of them, whatever made the difference. What proves later
// that the answer would still be the same looks at the parts and makes no bytes.
func (q *asked) seed(in encoding.Encoding, body []byte) []byte {
	sum, m := sha256.Sum256(body), q.viewer.Market
	texts := []string{
		representation, m.Channel, m.Locale, m.Currency, m.Country, string(q.viewer.Group), q.form.text(), in.String(), string(sum[:]), q.route,
	}
	return written(append(texts, q.what...)...)
}

// ownTag is the strong entity tag of what is somebody's own: nobody else has an answer of the
// same tag, not even of the same bytes. Of whom, and of what, texts are.
func ownTag(p commerce.Principal, texts ...string) string {
	sum := sha256.Sum256(written(append([]string{representation, "own", p.Tenant, p.Subject}, texts...)...))
	const enough = 18 // bytes: that two differ and look alike does not happen
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:enough]) + `"`
}

// tagOfOwn is the tag of an answer that was made for the caller alone, as it is sent.
func tagOfOwn(c *fiber.Ctx, caller web.Caller, in encoding.Encoding, body []byte) string {
	sum, m := sha256.Sum256(body), caller.Market
	return ownTag(caller.Principal, m.Channel, m.Locale, m.Currency, m.Country, string(caller.Group), in.String(), string(sum[:]), c.Route().Path, c.Path())
}

// proven answers 304 when all that q was last answered with is still as it was, and the
// client has that. It answers false when not, or when that is not known: then nothing was done.
func (a *API) proven(c *fiber.Ctx, caller web.Caller, q *cache.Question) bool {
	if !web.Conditional(c) {
		return false
	}
	proof := a.Answers.Proof(q)
	if proof == nil {
		return false
	}
	if caller.Principal.Anonymous() {
		if !web.NoneMatchOf(c, proof.Entity()) {
			return false
		}
		web.Shared(c)
		web.TellTime(c, nil, cache.Proven)
		web.SendProof(c, proof)
	} else {
		tag := ownTag(caller.Principal, proof.Entity())
		if !web.NoneMatchOf(c, tag) {
			return false
		}
		web.TellTime(c, nil, cache.Proven)
		web.SendUnchanged(c, tag, owners)
	}
	web.NoteAnswer(c, string(cache.Proven))
	a.Answers.Count(cache.Proven)
	return true
}
