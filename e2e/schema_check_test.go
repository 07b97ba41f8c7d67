//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ours is a directive that no client can write.
const ours = "\ndirective @ours on FIELD_DEFINITION\n"

const releasedSchema = "../../schema/graphql/released/schema.graphql"

// The check for breaking changes fails on what breaks a client, and on nothing else.
func TestTheSchemaCheckFailsOnWhatBreaksClients(t *testing.T) {
	t.Parallel()
	released, err := os.ReadFile(filepath.Join("audits", releasedSchema))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		old, changed string
		breaks       bool
		says         string
	}{
		"nothing":               {says: "0 breaking and 0 dangerous"},
		"a field goes":          {"  brand: String!\n", "  maker: String!\n", true, "FIELD_REMOVED  Product.brand was removed"},
		"a field may be null":   {"  brand: String!\n", "  brand: String\n", true, "Product.brand changed type"},
		"an argument is needed": {"  me: Me\n", "  me(version: Int!): Me\n", true, "REQUIRED_ARG_ADDED"},
		"a value goes":          {"  NEWEST\n", "  LATEST\n", true, "VALUE_REMOVED_FROM_ENUM"},
		"a field is deprecated": {"  brand: String!\n", "  brand: String! @deprecated(reason: \"Use attributes.\")\n", false, "0 breaking and 0 dangerous"},
		"a field comes":         {"  brand: String!\n", "  brand: String!\n  maker: String\n", false, "0 breaking and 0 dangerous"},
		"a value comes":         {"  NEWEST\n", "  NEWEST\n  LATEST\n", false, "VALUE_ADDED_TO_ENUM"},
		"a directive of ours":   {"  brand: String!\n", "  brand: String! @ours\n", false, "0 breaking and 0 dangerous"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, string(released), c.old)
			changed := filepath.Join(t.TempDir(), "changed.graphql")
			require.NoError(t, os.WriteFile(changed, []byte(strings.Replace(string(released), c.old, c.changed, 1)+ours), 0o600))
			out, err := audits(t, "check.mjs", releasedSchema, changed)
			assert.Equal(t, c.breaks, err != nil, string(out))
			assert.Contains(t, string(out), c.says)
		})
	}
}

// What a release writes down is what the check then compares with.
func TestAReleasedSchemaBreaksNothing(t *testing.T) {
	t.Parallel()
	written := filepath.Join(t.TempDir(), "released.graphql")
	out, err := audits(t, "release.mjs", "../../schema/graphql", written)
	require.NoError(t, err, string(out))
	out, err = audits(t, "check.mjs", written, "../../schema/graphql")
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "0 breaking and 0 dangerous")
	text, err := os.ReadFile(written)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "goField", "nobody's business but ours")
}
