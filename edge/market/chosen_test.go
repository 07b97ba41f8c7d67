package market

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What was chosen before is chosen again, however many headers there are.
func TestRememberedHeadersChooseAsEver(t *testing.T) {
	t.Parallel()
	r, err := New(Config{Channels: []string{"eu=fr/EUR/FR"}, Locales: []string{"en", "fr", "he"}, Currencies: []string{"EUR"}, Countries: []string{"FR"}})
	require.NoError(t, err)
	c := r.channels["eu"]
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 3 * maxChosen {
				header := fmt.Sprintf("%s;q=0.%d,sw", []string{"en", "he", "fr", "zz", ";"}[i%5], i+1)
				assert.Equal(t, c.match(header), c.negotiate(header), header)
				assert.Equal(t, c.match(header), c.negotiate(header), header)
			}
			c.negotiate(strings.Repeat("en;q=0.1,", 1000))
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, c.chosen.Len(), maxChosen)
	for _, header := range c.chosen.Keys() {
		assert.LessOrEqual(t, len(header), maxLanguageBytes)
	}
}
