package sandboxtest

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// Recorded is a wire ([http.RoundTripper]) that asks the sandbox once for each request
// and gives the answer again to its likes: what a benchmark measures is then the
// connector, not what it speaks to. Each answer is a body of its own with its length declared.
type Recorded struct {
	mu      sync.Mutex
	answers map[string]recordedAnswer
	buffers sync.Pool // of what is asked, so that reading it weighs nothing
}

type recordedAnswer struct {
	status int
	header http.Header
	body   []byte
}

// RoundTrip implements [http.RoundTripper].
func (r *Recorded) RoundTrip(req *http.Request) (*http.Response, error) {
	buf, ok := r.buffers.Get().(*bytes.Buffer)
	if !ok {
		buf = &bytes.Buffer{}
	}
	defer r.buffers.Put(buf)
	buf.Reset()
	buf.WriteString(req.URL.Path)
	buf.WriteByte('\n')
	if req.Body != nil {
		if _, err := buf.ReadFrom(req.Body); err != nil {
			return nil, err
		}
	}
	key := buf.Bytes()
	r.mu.Lock()
	answer, known := r.answers[string(key)]
	r.mu.Unlock()
	if !known {
		var err error
		if answer, err = r.record(req, key); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: answer.status, Header: answer.header, ContentLength: int64(len(answer.body)),
		Body: io.NopCloser(bytes.NewReader(answer.body)), Request: req,
	}, nil
}

// record asks the sandbox; what it is asked begins behind the path in key.
func (r *Recorded) record(req *http.Request, key []byte) (recordedAnswer, error) {
	again := req.Clone(req.Context())
	again.Body = io.NopCloser(bytes.NewReader(key[len(req.URL.Path)+1:]))
	once := &http.Transport{DisableKeepAlives: true} // no connection outlives the benchmark
	res, err := once.RoundTrip(again)
	if err != nil {
		return recordedAnswer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return recordedAnswer{}, err
	}
	answer := recordedAnswer{status: res.StatusCode, header: res.Header, body: body}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answers == nil {
		r.answers = map[string]recordedAnswer{}
	}
	r.answers[string(key)] = answer
	return answer, nil
}
