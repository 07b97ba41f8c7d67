package elasticsearch

import "github.com/portico-bff/portico/schema/commerce"

// indexed is the one type of event about an index. Elasticsearch tells nobody of
// changed documents; whoever writes them knows, and sends it.
const indexed = "elasticsearch.index.updated"

// Changes maps an event of the indexer, sent once its documents can be found, to
// the tag of all searches: any document may change any list of hits. The payload
// is an object, of which nothing is read.
func Changes(e commerce.ChangeEvent) ([]commerce.Tag, error) {
	if e.Type != indexed {
		return nil, e.Unknown()
	}
	var sent struct{}
	if err := e.Decode(&sent); err != nil {
		return nil, err
	}
	return []commerce.Tag{commerce.TagSearch}, nil
}
