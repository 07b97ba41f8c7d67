package commercetest

import (
	"bytes"
	"sync"
)

// Log is a log that may be read while it is written, by several goroutines. The zero
// value is empty.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds a piece; it never fails.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is what was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Reset forgets what was written.
func (l *Log) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}
