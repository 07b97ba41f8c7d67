package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/portico-bff/portico/connectors/sandbox/world"
	"github.com/portico-bff/portico/schema/commerce"
)

const (
	announceQueue    = 1000 // events that wait to be sent
	announceAttempts = 5
	announceTimeout  = 2 * time.Second
	announceBackoff  = 100 * time.Millisecond // doubled after each attempt
)

// announcer sends what the systems tell to whoever listens, in order, each as a
// CloudEvent that is signed as Standard Webhooks says.
type announcer struct {
	mu     sync.Mutex
	urls   []string
	secret []byte

	log    *slog.Logger
	client http.Client
	queue  chan announcement
	once   sync.Once
	work   sync.WaitGroup
}

// announcement is one event on its way to one address.
type announcement struct {
	url, id string
	body    []byte
	secret  []byte
}

// cloudEvent is an event in structured JSON.
type cloudEvent struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Data            any       `json:"data"`
}

// SendEvents has every system tell the addresses ("http://127.0.0.1:9082/events")
// what changes from now on. The secret is whsec_ and base64, or taken as it is.
// What is on its way when the server closes is lost.
func (s *Server) SendEvents(secret commerce.Secret, urls ...string) error {
	key := []byte(secret)
	if text, ok := strings.CutPrefix(string(secret), "whsec_"); ok {
		var err error
		if key, err = base64.StdEncoding.DecodeString(text); err != nil {
			return &FieldError{Field: "SANDBOX_EVENTS_SECRET", Message: "must be base64 after whsec_"}
		}
	}
	a := &s.announcer
	a.mu.Lock()
	a.urls, a.secret = urls, key
	a.mu.Unlock()
	a.once.Do(func() {
		a.work.Go(func() { a.run(s.stopped) })
		s.World.OnEvent(s.announce)
	})
	return nil
}

// announce queues what each system tells of an event. Of an order that was placed the ERP
// tells when it takes it over.
func (s *Server) announce(e world.Event) {
	if e.Order != nil {
		number := e.Order.Number
		time.AfterFunc(s.World.SyncDelay(), func() { s.announce(world.Event{Moved: s.World.OrderByNumber(number)}) })
	}
	a := &s.announcer
	a.mu.Lock()
	urls, secret := a.urls, a.secret
	a.mu.Unlock()
	for _, system := range s.systems {
		if system.notices == nil {
			continue
		}
		for _, notice := range system.notices(s.World, e) {
			event := cloudEvent{
				SpecVersion: "1.0", ID: rand.Text(), Source: system.role, Type: notice.Type,
				Time: time.Now().UTC(), DataContentType: "application/json", Data: notice.Data,
			}
			body, err := json.Marshal(event)
			if err != nil {
				s.log.LogAttrs(context.Background(), slog.LevelError, "event cannot be written", slog.Any("error", err))
				continue
			}
			for _, url := range urls {
				a.add(announcement{url: url, id: event.ID, body: body, secret: secret})
			}
		}
	}
}

func (a *announcer) add(sent announcement) {
	select {
	case a.queue <- sent:
	default:
		a.log.LogAttrs(context.Background(), slog.LevelWarn, "event dropped; too many wait to be sent")
	}
}

// run sends what is queued until the server stops.
func (a *announcer) run(stopped <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	a.work.Go(func() {
		<-stopped
		cancel()
	})
	for {
		select {
		case sent := <-a.queue:
			a.send(ctx, sent)
		case <-ctx.Done():
			a.client.CloseIdleConnections()
			return
		}
	}
}

// send tries a few times, as systems do, each time with a new timestamp.
func (a *announcer) send(ctx context.Context, sent announcement) {
	wait := announceBackoff
	for range announceAttempts {
		if a.post(ctx, sent) {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		wait *= 2
	}
	a.log.LogAttrs(ctx, slog.LevelWarn, "event dropped; nobody takes it")
}

// post is true when the event was taken.
func (a *announcer) post(ctx context.Context, sent announcement) bool {
	ctx, cancel := context.WithTimeout(ctx, announceTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, sent.url, bytes.NewReader(sent.body))
	if err != nil {
		return false
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, sent.secret)
	_, _ = mac.Write([]byte(sent.id + "." + stamp + ".")) // a hash never fails
	_, _ = mac.Write(sent.body)
	req.Header.Set("Content-Type", "application/cloudevents+json")
	req.Header.Set("Webhook-Id", sent.id)
	req.Header.Set("Webhook-Timestamp", stamp)
	req.Header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	res, err := a.client.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close() // its status says it all
	return res.StatusCode < http.StatusMultipleChoices
}
