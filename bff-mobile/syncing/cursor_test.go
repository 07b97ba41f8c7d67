package syncing

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/portico-bff/portico/edge/events"
	"github.com/portico-bff/portico/schema/commerce"
)

func anyCursor() *rapid.Generator[cursor] {
	return rapid.Custom(func(t *rapid.T) cursor {
		number := rapid.Uint64()
		c := cursor{
			mode: rapid.SampledFrom([]mode{walking, tailing}).Draw(t, "mode"), market: number.Draw(t, "market"),
			at: events.Place{Epoch: number.Draw(t, "epoch"), Ms: number.Draw(t, "ms"), Seq: number.Draw(t, "seq"), Seen: number.Draw(t, "seen")},
		}
		if c.mode == tailing {
			c.skip = number.Draw(t, "skip")
			return c
		}
		c.phase = phase(rapid.IntRange(int(categories), int(products)).Draw(t, "phase"))
		c.after = string(rapid.SliceOfN(rapid.Byte(), 0, longestID).Draw(t, "after"))
		return c
	})
}

func TestCursorsAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := anyCursor().Draw(t, "cursor")
		text := c.String()
		require.LessOrEqual(t, len(text), maxCursor)
		read, err := parse(text)
		require.NoError(t, err)
		require.Equal(t, c, read)
	})
}

// What differs by a byte, is shorter or longer is another cursor or none.
func TestCursorsAreWrittenInOneWay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := anyCursor().Draw(t, "cursor").String()
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		for _, bent := range []string{text[:at], text + "A", text + "=", text + "\n", text[:at] + "\n" + text[at:], text[:at] + "*" + text[at+1:]} {
			read, err := parse(bent)
			if err == nil {
				require.NotEqual(t, text, bent)
				require.Equal(t, bent, read.String())
			}
		}
		for _, none := range []string{text + "\n", text + "=", text[:at] + "*" + text[at+1:]} {
			_, err := parse(none)
			require.Error(t, err)
		}
	})
}

func TestCursorsOfAnotherFormAreOfAnotherTime(t *testing.T) {
	t.Parallel()
	raw := func(b ...byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	for _, old := range []string{raw(mark), raw(mark | 2), raw(mark|0xF, 1, 2, 3)} {
		_, err := parse(old)
		require.ErrorIs(t, err, events.ErrExpired)
	}
	whole := cursor{mode: walking, phase: pages, after: "home"}.String()
	for name, bad := range map[string]string{
		"empty": "", "no base64": "a", "bits that are not used": "wR", "another thing": raw(1, 2, 3), "short": raw(form), "no mode": raw(form, 9),
		"too long": strings.Repeat("A", maxCursor+1), "cut": whole[:len(whole)-2], "text": "garbage", "a number that is written longer than it is": raw(append(append([]byte{form, byte(tailing)}, make([]byte, 16)...), 0x80, 0, 0, 0, 0)...),
		"no phase": cursor{mode: walking, phase: products + 1}.String(), "phase 0": cursor{mode: walking}.String(),
	} {
		_, err := parse(bad)
		var input *commerce.InputError
		require.ErrorAs(t, err, &input, name)
		assert.Equal(t, "since", input.Field)
	}
}

func TestMarketsHaveCursorsOfTheirOwn(t *testing.T) {
	t.Parallel()
	base := commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}
	for _, other := range []commerce.Market{
		{Channel: "eu", Locale: "en", Currency: "USD", Country: "US"},
		{Channel: "us", Locale: "fr", Currency: "USD", Country: "US"},
		{Channel: "us", Locale: "en", Currency: "USD", Country: "FR"},
		{Channel: "use", Locale: "n", Currency: "USD", Country: "US"},
	} {
		assert.NotEqual(t, marketOf(base), marketOf(other))
	}
	euros := base
	euros.Currency = "EUR"
	assert.Equal(t, marketOf(base), marketOf(euros), "nothing that is told has a price")
}

// Whatever is sent: what is read is written the same again, and nothing else is read.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("garbage")
	f.Add(cursor{mode: walking, phase: categories}.String())
	f.Add(cursor{mode: tailing, skip: 3, at: events.Place{Epoch: 1, Ms: 2, Seq: 3, Seen: 4}}.String())
	f.Add(cursor{mode: walking, phase: products, after: strings.Repeat("x", longestID)}.String())
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parse(text)
		if err == nil && c.String() != text {
			t.Fatalf("%q is read and written as %q", text, c.String())
		}
	})
}
