package requestid_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/portico-bff/portico/edge/requestid"
)

func TestSaneIDsAreKept(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a", "Az09._-", strings.Repeat("x", 64)} {
		assert.Equal(t, id, requestid.New(id))
	}
}

func TestOtherIDsAreReplaced(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", strings.Repeat("x", 65), "a b", "a\nb", `a"b`, "ä", "a\x00"} {
		made := requestid.New(id)
		assert.Regexp(t, `^[0-9a-f]{32}$`, made, "%q", id)
		assert.NotEqual(t, made, requestid.New(id))
	}
}

func TestFromWithoutIDIsEmpty(t *testing.T) {
	t.Parallel()
	assert.Empty(t, requestid.From(t.Context()))
}

func ExampleWith() {
	ctx := requestid.With(context.Background(), requestid.New("req-1"))
	fmt.Println(requestid.From(ctx))
	// Output: req-1
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		requestid.New("")
	}
}
