package commerce

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// forms are the forms of ids as patterns say them: what is read byte by byte is the same.
var forms = []struct {
	name    string
	fits    func(string) bool
	pattern *regexp.Regexp
}{
	{"sku", IsSKU, regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$`)},
	{"category", IsCategoryID, regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)},
	{"id", isID, regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)},
	{"cart", isCartID, regexp.MustCompile(`^[gc]_[A-Za-z0-9_-]{1,128}$`)},
	{"order", isOrderNumber, regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)},
	{"coupon", isCoupon, regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)},
	{"email", isEmail, regexp.MustCompile(`^[^\s@<>"(),:;\\]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$`)},
	{"key", isKey, regexp.MustCompile(`^[\x21-\x7e]{1,255}$`)},
}

func sameAsPatterns(t *testing.T, s string) {
	t.Helper()
	for _, form := range forms {
		assert.Equal(t, form.pattern.MatchString(s), form.fits(s), "%s: %q", form.name, s)
	}
}

func TestFormsAreThePatterns(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		b := string([]byte{byte(c)})
		for _, s := range []string{b, "a" + b, b + "a", "g_" + b, "a" + b + "@example.test", b + "@example.test", "a@" + b + ".test", "a@b" + b + "test", "\u00e9" + b + "@x.y"} {
			sameAsPatterns(t, s)
		}
	}
	for n := range 300 {
		for _, s := range []string{strings.Repeat("a", n), "c_" + strings.Repeat("-", n), strings.Repeat("\u00e9", n) + "@x.y", strings.Repeat("\xff", n) + "@x.y", "a@" + strings.Repeat("b", n) + ".c." + strings.Repeat("d", n)} {
			sameAsPatterns(t, s)
		}
	}
	for _, s := range []string{"", "@", "a@b", "a@b.", "a@.b", "a@b..c", "a@b.c@d.e", "a\n", "a\n@b.c", "a@b.c\n", "g_", "g_a\n", "\u2028@a.b", "\u0085@a.b", "\u00a0@a.b"} {
		sameAsPatterns(t, s)
	}
}

func FuzzForms(f *testing.F) {
	for _, s := range []string{"BK-M68B-38", "_a.b", "g_abc", "kim@example.test", "a@b", "\xff@a.b", "\u00e9"} {
		f.Add(s)
	}
	f.Fuzz(sameAsPatterns)
}

// BenchmarkParseSKU is the check that each row of each answer goes through.
func BenchmarkParseSKU(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseSKU("sku", "BK-M68B-38"); err != nil {
			b.Fatal(err)
		}
	}
}
