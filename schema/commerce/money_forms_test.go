package commerce

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFormsOfMoneyAreBounded(t *testing.T) {
	t.Parallel()
	forms := moneyForms{texts: map[moneyForm]string{}}
	for _, number := range []string{strings.Repeat("7", 19), "1." + strings.Repeat("7", 18), "-1", "1.5E+20"} {
		m, err := NewMoney(number, "EUR")
		require.NoError(t, err)
		assert.Equal(t, format(m, "de"), forms.write(m, "de"))
		assert.Empty(t, forms.texts, number)
	}
	for n := range 3000 {
		forms.form(moneyForm{"de-" + strconv.Itoa(n), "EUR", 2, 1})
	}
	assert.LessOrEqual(t, len(forms.texts), 1024)
	assert.Equal(t, "11,10\u00a0€", forms.form(moneyForm{"de-7", "EUR", 2, 1}), "what is known stays")
	assert.Empty(t, forms.form(moneyForm{"de-2999", "EUR", 2, 1}), "what is new is the library's to write")
}
