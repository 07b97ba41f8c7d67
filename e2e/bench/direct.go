package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"
)

// called is one call of a system, as the systems saw it.
type called struct {
	At   time.Duration `json:"at"` // since the weather was set
	Path string        `json:"path"`
	Body string        `json:"body"`
}

// page is the calls that a page waits for: those of a round are made at a time, after those
// of the round before are answered.
type page [][]called

// shape tells how many calls each round has: "4, then 1".
func (p page) shape() string {
	var each []string
	for _, round := range p {
		each = append(each, fmt.Sprint(len(round)))
	}
	return strings.Join(each, ", then ")
}

// narrow is as many rounds, of one call each.
func (p page) narrow() page {
	var one page
	for _, round := range p {
		one = append(one, round[:1])
	}
	return one
}

// ask makes a page's calls as the page makes them, with nobody between: what is above it is
// added by who is measured.
func (p page) ask(systems *target) ask {
	return ask{instead: func() error {
		for _, round := range p {
			var calls errgroup.Group
			for _, c := range round[1:] {
				calls.Go(func() error { return systems.call(c) })
			}
			first := systems.call(round[0])
			if err := calls.Wait(); err != nil {
				return err
			}
			if first != nil {
				return first
			}
		}
		return nil
	}}
}

func (t *target) call(c called) error {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.Header.SetMethod(fasthttp.MethodPost)
	req.Header.SetHost(t.addr)
	req.Header.SetContentType(contentType)
	req.SetRequestURI(c.Path)
	req.SetBodyString(c.Body)
	if err := t.client.Do(req, res); err != nil {
		return err
	}
	if status := res.StatusCode(); status != fasthttp.StatusOK {
		return fmt.Errorf("%s: %d", c.Path, status)
	}
	return nil
}

// pageOf is the calls that a page makes which nobody asked for before: that of some pages that
// came alone whose shape most of them have. Two sides need not make the same.
func (r *rig) pageOf(t *target, a ask) (page, error) {
	const pages = 25
	seen := map[string]int{}
	var usual page
	for range pages {
		if _, err := r.set(weather{Latency: upstreamLatency}); err != nil {
			return nil, err
		}
		if _, _, err := t.once(a.set, r.distinct.Add(1)); err != nil {
			return nil, err
		}
		p, err := r.calledSince()
		if err != nil {
			return nil, err
		}
		shape := p.shape()
		if seen[shape]++; usual == nil || seen[shape] > seen[usual.shape()] {
			usual = p
		}
	}
	return usual, nil
}

// calledSince is the calls since the weather was set.
func (r *rig) calledSince() (page, error) {
	status, answer, err := r.stubAt.once(func(req *fasthttp.Request, _ int64) { req.SetRequestURI("/_stub/asked") }, 0)
	if err != nil || status != fasthttp.StatusOK {
		return nil, fmt.Errorf("what was asked: %d %w", status, err)
	}
	var asked []called
	if err := json.Unmarshal(answer, &asked); err != nil {
		return nil, err
	}
	if len(asked) == 0 {
		return nil, errors.New("a page that asks no system")
	}
	return inRounds(asked), nil
}

// inRounds sorts calls by the rounds they were made in: the next begins when the first call of
// the one before can be answered.
func inRounds(asked []called) page {
	slices.SortFunc(asked, func(a, b called) int { return cmp.Compare(a.At, b.At) })
	var p page
	for _, c := range asked {
		if len(p) == 0 || c.At-p[len(p)-1][0].At >= upstreamLatency {
			p = append(p, nil)
		}
		p[len(p)-1] = append(p[len(p)-1], c)
	}
	return p
}
