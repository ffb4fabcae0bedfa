package firefox

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Page is a window with one page. Its methods are for one goroutine at a time;
// each returns an error when its context ends first.
type Page struct {
	session       *session
	profile, id   string
	sharesProfile bool
}

// Open makes a page in a profile of its own, with nothing to see yet. complain
// is called, by a goroutine of the browser's, with each error that the page
// throws or logs.
func (b *Browser) Open(ctx context.Context, complain func(string)) (*Page, error) {
	var made struct{ UserContext string }
	if err := b.session.call(ctx, "browser.createUserContext", object{}, &made); err != nil {
		return nil, err
	}
	return open(ctx, &Page{session: b.session, profile: made.UserContext}, complain)
}

// Beside makes another page in the same profile.
func (p *Page) Beside(ctx context.Context, complain func(string)) (*Page, error) {
	return open(ctx, &Page{session: p.session, profile: p.profile, sharesProfile: true}, complain)
}

func open(ctx context.Context, p *Page, complain func(string)) (*Page, error) {
	var made struct{ Context string }
	// A window: a tab that is behind another one is not drawn.
	err := p.session.call(ctx, "browsingContext.create", object{"type": "window", "userContext": p.profile}, &made)
	if err != nil {
		return nil, err
	}
	p.id = made.Context
	p.session.hear(p.id, func(e entry) {
		if e.Level == "error" && !ofNetwork(e.Text) {
			complain(e.Text)
		}
	})
	return p, nil
}

// ofNetwork reports whether an error is one of an EventSource's connection:
// refusals, and servers that are away, are what some tests are about.
func ofNetwork(text string) bool { return connection.MatchString(text) }

var connection = regexp.MustCompile(`^The connection to .* was interrupted|^Firefox can’t establish a connection|^EventSource.s response has a status`)

// Close ends the page, and the profile with the page that made it.
func (p *Page) Close(ctx context.Context) error {
	p.session.hear(p.id, nil)
	err := p.session.call(ctx, "browsingContext.close", object{"context": p.id}, nil)
	if p.sharesProfile {
		return err
	}
	return errors.Join(err, p.session.call(ctx, "browser.removeUserContext", object{"userContext": p.profile}, nil))
}

// Navigate shows a URL and waits until all of it is loaded.
func (p *Page) Navigate(ctx context.Context, url string) error {
	return p.session.call(ctx, "browsingContext.navigate", object{"context": p.id, "url": url, "wait": "complete"}, nil)
}

// Resize sets the page's size, in CSS pixels.
func (p *Page) Resize(ctx context.Context, width, height int64) error {
	return p.session.call(ctx, "browsingContext.setViewport", object{"context": p.id, "viewport": object{"width": width, "height": height}}, nil)
}

// Evaluate returns the value of a JavaScript expression as JSON, of a promise
// the value that it brings, and null for undefined.
func (p *Page) Evaluate(ctx context.Context, expression string) (json.RawMessage, error) {
	var result struct {
		Type             string
		Result           struct{ Value string }
		ExceptionDetails struct{ Text string }
	}
	err := p.session.call(ctx, "script.evaluate", object{
		"expression":   "(async () => JSON.stringify((await (" + expression + ")) ?? null))()",
		"target":       object{"context": p.id},
		"awaitPromise": true,
	}, &result)
	if err == nil && result.Type != "success" {
		err = errors.New(result.ExceptionDetails.Text)
	}
	return json.RawMessage(result.Result.Value), err
}

// Click clicks in the middle of the first element of a CSS selector, which is
// scrolled into sight.
func (p *Page) Click(ctx context.Context, selector string) error {
	quoted, err := json.Marshal(selector)
	if err != nil {
		return err
	}
	text, err := p.Evaluate(ctx, fmt.Sprintf(`(() => {
		const target = document.querySelector(%s);
		target.scrollIntoView({block: 'nearest', inline: 'nearest', behavior: 'instant'});
		const box = target.getBoundingClientRect();
		return {x: Math.floor(box.left + box.width / 2), y: Math.floor(box.top + box.height / 2)};
	})()`, quoted))
	if err != nil {
		return err
	}
	var at struct{ X, Y int }
	if err := json.Unmarshal(text, &at); err != nil {
		return err
	}
	return p.perform(ctx, object{"type": "pointer", "id": "mouse", "actions": []object{
		{"type": "pointerMove", "x": at.X, "y": at.Y}, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0},
	}})
}

// Type presses the keys of a text, wherever the focus is; \r is Enter.
func (p *Page) Type(ctx context.Context, text string) error {
	const enter = "\ue007"
	var keys []object
	for _, r := range strings.ReplaceAll(text, "\r", enter) {
		keys = append(keys, object{"type": "keyDown", "value": string(r)}, object{"type": "keyUp", "value": string(r)})
	}
	return p.perform(ctx, object{"type": "key", "id": "keyboard", "actions": keys})
}

func (p *Page) perform(ctx context.Context, source object) error {
	return p.session.call(ctx, "input.performActions", object{"context": p.id, "actions": []object{source}}, nil)
}

// Picture returns what is in sight, as a PNG.
func (p *Page) Picture(ctx context.Context) ([]byte, error) {
	var result struct{ Data string }
	if err := p.session.call(ctx, "browsingContext.captureScreenshot", object{"context": p.id}, &result); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(result.Data)
}
