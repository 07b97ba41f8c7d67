package main

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/valyala/fasthttp"
)

// verify compares what a channel and the baseline answer to the same question: products,
// names, prices, stock. Cursors, which only the channel has, and what an answer says of
// itself are left out.
func (r *rig) verify(ours, plain *target, a ask) error {
	n := r.distinct.Add(1)
	mine, err := answered(ours, a, n)
	if err != nil {
		return err
	}
	theirs, err := answered(plain, a, n)
	if err != nil {
		return err
	}
	if path := differ("", mine, theirs); path != "" {
		return fmt.Errorf("%s and the baseline answer differently at %s", ours.name, path)
	}
	return nil
}

func answered(t *target, a ask, n int64) (any, error) {
	status, body, err := t.once(a.set, n)
	if err != nil {
		return nil, err
	}
	if status != fasthttp.StatusOK || !whole(body) {
		return nil, fmt.Errorf("%s answers %d: %.300s", t.name, status, body)
	}
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	delete(answer, "extensions")
	return answer, nil
}

// inWords is what the mobile channel says twice: as a number or a time, which the baseline
// says too, and as people read it.
var inWords = map[string]bool{"totalText": true, "countText": true, "quantityText": true, "averageText": true, "createdOn": true}

// differ is where two JSON values differ first; empty where they do not.
func differ(path string, a, b any) string {
	switch a := a.(type) {
	case map[string]any:
		other, ok := b.(map[string]any)
		if !ok {
			break
		}
		for key := range a {
			if key == "endCursor" || inWords[key] {
				continue
			}
			if at := differ(path+"."+key, a[key], other[key]); at != "" {
				return at
			}
		}
		for key := range other {
			if _, known := a[key]; !known {
				return path + "." + key + " (only the baseline has it)"
			}
		}
		return ""
	case []any:
		other, ok := b.([]any)
		if !ok || len(a) != len(other) {
			break
		}
		for i := range a {
			if at := differ(fmt.Sprintf("%s[%d]", path, i), a[i], other[i]); at != "" {
				return at
			}
		}
		return ""
	}
	if reflect.DeepEqual(a, b) {
		return ""
	}
	return fmt.Sprintf("%s: %.200v, baseline %.200v", path, a, b)
}
