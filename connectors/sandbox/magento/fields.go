package magento

import (
	"bytes"
	"encoding/json"
	"strings"
)

// selection is a parsed "fields" parameter: names, with a nested selection where
// one was given.
type selection map[string]selection

// parseFields reads "id,items[sku,name]".
func parseFields(text string) selection {
	s, _ := parseSelection(text)
	return s
}

func parseSelection(text string) (selection, string) {
	s := selection{}
	for text != "" {
		end := strings.IndexAny(text, ",[]")
		if end < 0 {
			s[text] = nil
			return s, ""
		}
		name, mark := text[:end], text[end]
		text = text[end+1:]
		if name != "" {
			s[name] = nil
		}
		switch mark {
		case '[':
			s[name], text = parseSelection(text)
		case ']':
			return s, text
		}
	}
	return s, ""
}

// trim leaves of an answer what was selected. A list is trimmed element by element.
func trim(answer any, s selection) (any, error) {
	body, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	return s.of(tree), nil
}

func (s selection) of(tree any) any {
	switch node := tree.(type) {
	case []any:
		for i := range node {
			node[i] = s.of(node[i])
		}
		return node
	case map[string]any:
		kept := map[string]any{}
		for name, inner := range s {
			value, ok := node[name]
			if !ok {
				continue
			}
			if inner != nil {
				value = inner.of(value)
			}
			kept[name] = value
		}
		if len(kept) == 0 {
			return []any{}
		}
		return kept
	}
	return tree
}
