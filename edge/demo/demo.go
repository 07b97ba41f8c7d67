// Package demo asks the sandbox for customers that a developer can be, so that the pages
// of both channels can offer them. It is for development.
package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Sandbox is where the imitated systems answer.
type Sandbox struct {
	URL string // base address; empty: there is none, and every call fails
}

// Customer is somebody to sign in as.
type Customer struct {
	Number     string `json:"customer"`
	Name       string `json:"name"`
	PriceGroup string `json:"priceGroup"`
	Orders     int    `json:"orders"`
}

const (
	askTimeout = 3 * time.Second
	maxAnswer  = 64 << 10
)

// Customers are some to try, at least one when there is no error.
func (s Sandbox) Customers(ctx context.Context) ([]Customer, error) {
	raw, err := s.ask(ctx, http.MethodGet, "customers", nil)
	if err != nil {
		return nil, err
	}
	var list []Customer
	if err := json.Unmarshal(raw, &list); err != nil || len(list) == 0 {
		return nil, errors.New("the sandbox has no customers to offer")
	}
	return list, nil
}

// Token has the sandbox sign a token for a customer, by number. It lasts for an hour.
func (s Sandbox) Token(ctx context.Context, customer string) (string, error) {
	body, err := json.Marshal(map[string]string{"customer": customer})
	if err != nil {
		return "", err
	}
	raw, err := s.ask(ctx, http.MethodPost, "token", body)
	if err != nil {
		return "", err
	}
	var answer struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Token == "" {
		return "", errors.New("the sandbox signed no token")
	}
	return answer.Token, nil
}

func (s Sandbox) ask(ctx context.Context, method, what string, body []byte) ([]byte, error) {
	if s.URL == "" {
		return nil, errors.New("there is no sandbox")
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(s.URL, "/")+"/_sandbox/"+what, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the sandbox answers %s", res.Status)
	}
	return raw, err
}
