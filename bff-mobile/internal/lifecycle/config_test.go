package lifecycle

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge/config"
)

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	const store = "https://apps.apple.com/app/id1"
	for name, c := range map[string]struct {
		environ []string
		wrong   []string // variables
	}{
		"nothing":               {nil, nil},
		"all":                   {[]string{"MOBILE_IOS_MINIMUM_VERSION=2.4", "MOBILE_IOS_LATEST_VERSION=2.4.0", "MOBILE_IOS_STORE_URL=" + store, "MOBILE_FLAGS=a=true,b.c=false"}, nil},
		"no versions":           {[]string{"MOBILE_IOS_MINIMUM_VERSION=two", "MOBILE_ANDROID_LATEST_VERSION=1.2.3.4.5"}, []string{"MOBILE_IOS_MINIMUM_VERSION", "MOBILE_ANDROID_LATEST_VERSION"}},
		"nowhere to go":         {[]string{"MOBILE_IOS_MINIMUM_VERSION=2"}, []string{"MOBILE_IOS_STORE_URL"}},
		"the newest is too old": {[]string{"MOBILE_ANDROID_MINIMUM_VERSION=2.10", "MOBILE_ANDROID_LATEST_VERSION=2.9", "MOBILE_ANDROID_STORE_URL=" + store}, []string{"MOBILE_ANDROID_LATEST_VERSION"}},
		"no https":              {[]string{"MOBILE_IOS_STORE_URL=http://apps.test", "MOBILE_ANDROID_STORE_URL=https://u:p@apps.test"}, []string{"MOBILE_IOS_STORE_URL", "MOBILE_ANDROID_STORE_URL"}},
		"an odd flag":           {[]string{"MOBILE_FLAGS=a b=true"}, []string{"MOBILE_FLAGS"}},
		"no truth":              {[]string{"MOBILE_FLAGS=a=perhaps"}, []string{"MOBILE_FLAGS"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var cfg Config
			err := config.Decode(c.environ, "", &cfg)
			assert.Equal(t, len(c.wrong) > 0, err != nil, "%v", err)
			for _, variable := range c.wrong {
				assert.ErrorContains(t, err, variable)
			}
		})
	}
}

func TestVersionsAreOrdered(t *testing.T) {
	t.Parallel()
	ordered := []string{"0", "0.0.0.1", "0.9", "0.10", "1", "1.0.1", "1.2", "1.2.3", "1.2.3.4", "1.2.4", "1.10", "2", "9999.9999.9999.9999"}
	var versions []Version
	for _, text := range ordered {
		v, ok := ParseVersion(text)
		require.True(t, ok, text)
		versions = append(versions, v)
	}
	assert.True(t, slices.IsSortedFunc(versions, Version.Compare))
	for i, v := range versions {
		for j, w := range versions {
			assert.Equal(t, i == j, v.Compare(w) == 0, "%s %s", ordered[i], ordered[j])
			assert.Equal(t, -v.Compare(w), w.Compare(v))
		}
	}
	short, _ := ParseVersion("2.4")
	long, _ := ParseVersion("2.4.0.0")
	assert.Equal(t, short, long, "what is not written is 0")
}

func FuzzParseVersion(f *testing.F) {
	for _, text := range []string{"", "1", "1.2.3.4", "1.2.3.4.5", "01.002", "-1", "1.", "99999"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := ParseVersion(text)
		if !ok {
			assert.Zero(t, v)
			return
		}
		for _, n := range v {
			assert.True(t, n >= 0 && n <= 9999, text)
		}
	})
}
