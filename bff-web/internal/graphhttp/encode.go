package graphhttp

import "encoding/json"

// MarshalJSON writes the document. The data is taken as it is: to have [json.Marshal] look
// at every byte of it again costs more than to write it did.
func (d document) MarshalJSON() ([]byte, error) {
	if d.whole != nil && len(d.Errors) == 0 && len(d.Extensions) == 0 {
		return d.whole, nil
	}
	var errs, extensions []byte
	var err error
	if len(d.Errors) > 0 {
		if errs, err = json.Marshal(d.Errors); err != nil {
			return nil, err
		}
	}
	if len(d.Extensions) > 0 {
		if extensions, err = json.Marshal(d.Extensions); err != nil {
			return nil, err
		}
	}
	b := make([]byte, 0, len(errs)+len(d.Data)+len(extensions)+len(`{"errors":,"data":,"extensions":}`))
	for _, member := range []struct {
		key   string
		value []byte
	}{{`"errors":`, errs}, {`"data":`, d.Data}, {`"extensions":`, extensions}} {
		if len(member.value) == 0 {
			continue
		}
		b = append(b, ',')
		b = append(append(b, member.key...), member.value...)
	}
	if len(b) == 0 {
		return []byte("{}"), nil
	}
	b[0] = '{'
	return append(b, '}'), nil
}
