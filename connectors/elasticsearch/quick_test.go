package elasticsearch

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/connectors/quick/quicktest"
	"github.com/portico-bff/portico/schema/commerce"
)

const someAnswer = `{"took":3,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},` +
	`"hits":{"total":{"value":2,"relation":"eq"},"max_score":null,"hits":[{"_index":"products","_id":"1","_score":null,"_source":{"sku":"A-1"},"sort":["bike","A-1"]},` +
	`{"_id":"2","_source":{"sku":"A-2"},"sort":[1.5e3,"A-2"]}]},` +
	`"aggregations":{"price":{"doc_count":2,"values":{"buckets":[{"key":"0-50","from":0.0,"to":50.0,"doc_count":2}]}},` +
	`"size":{"doc_count":2,"values":{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":5,"key_as_string":"5","doc_count":1}]}}}}`

// readAnswer is an answer with what is read of its hits, whichever way.
type readAnswer struct {
	wireAnswer

	skus []commerce.SKU
}

func newAnswer() quick.Value {
	return &readAnswer{wireAnswer: wireAnswer{skuField: "sku", room: newRoom()}}
}

func (a *readAnswer) ReadQuick(r *quick.Reader) bool { return a.wireAnswer.ReadQuick(r) && a.read() }

func (a *readAnswer) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &a.wireAnswer); err != nil {
		return err
	}
	a.read()
	return nil
}

func (a *readAnswer) read() bool {
	m := model{cfg: Config{SKUField: a.skuField}}
	a.room = nil
	if a.Hits == nil {
		return true
	}
	for i := range a.Hits.Hits {
		hit := &a.Hits.Hits[i]
		sku, ok := m.sku(*hit)
		if !ok {
			sku = "none"
		}
		a.skus, hit.sku, hit.Source = append(a.skus, sku), "", nil
	}
	return true
}

func TestN16_AnswersAreReadAsEncodingJSONDoes(t *testing.T) {
	t.Parallel()
	require.True(t, quicktest.Agree(t, []byte(someAnswer), newAnswer))
	read := 0
	quicktest.Spoil([]byte(someAnswer), func(data []byte) {
		if quicktest.Agree(t, data, newAnswer) {
			read++
		}
	})
	assert.Greater(t, read, 50)
}

func TestTheSKUOfAHitIsItsField(t *testing.T) {
	t.Parallel()
	plain, nested := model{cfg: Config{SKUField: "sku"}}, model{cfg: Config{SKUField: "ids.sku"}}
	for source, want := range map[string]bool{
		`{"sku":"A-1"}`: true, `{"sku":"A-1","name":"x"}`: true, `{"name":"x","sku":"A-1"}`: true, `{"sku":"B","sku":"A-1"}`: true, `{"sku":"\u0041-1"}`: true,
		`{"sku":null}`: false, `{"sku":7}`: false, `{"sku":["A-1"]}`: false, `{}`: false, `null`: false, `{"sku":""}`: false,
	} {
		sku, ok := plain.sku(wireHit{Source: []byte(source)})
		assert.Equal(t, want, ok, source)
		if ok {
			assert.EqualValues(t, "A-1", sku, source)
		}
	}
	sku, ok := nested.sku(wireHit{Source: []byte(`{"ids":{"sku":"A-1"}}`)})
	assert.True(t, ok)
	assert.EqualValues(t, "A-1", sku)
}

func FuzzQuickAnswers(f *testing.F) {
	f.Add([]byte(someAnswer))
	f.Fuzz(func(t *testing.T, data []byte) { quicktest.Agree(t, data, newAnswer) })
}
