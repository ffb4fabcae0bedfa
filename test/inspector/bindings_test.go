package inspector

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/browser"
)

// A newcomer needs one click to see messages.
func TestOneClickOnAnExampleShowsMessages(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in browser.Browser) {
		s := serve(t, actors.Options{})
		s.declare("exchange/taskcluster-queue/v1/task-pending", "exchange/taskcluster-queue/v1/task-running", "exchange/taskcluster-queue/v1/task-exception")
		b := openIn(in, t, s.proxy.URL+"/")
		b.AwaitText("#welcome", "one click")
		b.Click("#examples button")
		b.AwaitState("live")
		s.publish(completed, "primary.a", `{}`)
		b.awaitRows("primary.a")
	})
}

// What the old tool is used for: name an exchange and a pattern, start, stop.
func TestABindingIsAddedStartedAndStopped(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+"/")
	b.Fill("#exchange", completed)
	b.Fill("#pattern", "primary.*")
	b.Click("#add")
	b.AwaitText("#binding-list", "primary.*")
	b.Click("#start")
	b.AwaitState("live")
	s.publish(completed, "primary.a", `{}`)
	s.publish(completed, "secondary.a", `{}`)
	s.publish(completed, "primary.b", `{}`)
	b.awaitRows("primary.b", "primary.a")

	b.Click("#stop")
	b.AwaitState("stopped")
	if err := s.broker.Await(t.Context(), func() bool { return len(s.broker.Queues()) == 0 }); err != nil {
		t.Fatalf("the stream's queue is still there: %v", s.broker.Queues())
	}
	b.awaitRows("primary.b", "primary.a") // what has come stays to be read
}

// Bindings may change while messages flow: the stream goes on with the new ones.
func TestBindingsChangeUnderAnOpenStream(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.AwaitState("live")
	b.Fill("#exchange", failed)
	b.enter()
	b.Await(`document.querySelectorAll('#binding-list li').length === 2`)
	b.AwaitState("live")
	s.publish(failed, "from.failed", `{}`)
	b.awaitRows("from.failed")

	b.Click(`#binding-list li:nth-child(2) .remove`)
	b.Await(`document.querySelectorAll('#binding-list li').length === 1`)
	b.AwaitState("live")
	s.publish(failed, "unseen", `{}`)
	s.publish(completed, "from.completed", `{}`)
	b.awaitRows("from.completed", "from.failed")

	b.Click("#clear-bindings")
	b.AwaitState("stopped")
	if got := b.text("#binding-count"); got != "0" {
		t.Errorf("%s bindings are left", got)
	}
}

// What no broker would take is refused while it is typed, not after.
func TestABadBindingIsExplainedBesideTheForm(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+stoppedLink(completed, "#"))
	b.Click("#add")
	b.AwaitText("#binding-wrong", "Name an exchange")
	b.Fill("#exchange", completed)
	b.enter()
	b.AwaitText("#binding-wrong", "in the list already")
	b.paste("#exchange", "exchange/"+strings.Repeat("ä", 124))
	b.Click("#add")
	b.AwaitText("#binding-wrong", "257 bytes")
	if n := browser.Value[int](b.Tab, `document.querySelectorAll('#binding-list li').length`); n != 1 {
		t.Errorf("%d bindings, want the first alone", n)
	}
}

// Exchanges need not be known by heart: words of a name or of its meaning find it.
func TestExchangesAreSuggested(t *testing.T) {
	s := serve(t, actors.Options{})
	s.declare("exchange/our-own/thing")
	b := open(t, s.proxy.URL+"/")
	b.Fill("#exchange", "ran and failed")
	b.Await(`document.querySelectorAll('#exchange-list [role=option]').length === 1`)
	b.press(kb.ArrowDown)
	b.enter()
	if got := browser.Value[string](b.Tab, `document.getElementById('exchange').value`); got != failed {
		t.Fatalf("took %q", got)
	}
	b.AwaitText("#exchange-about", "ran and failed")

	b.Fill("#exchange", "exchange/our-own/thing")
	b.enter()
	b.Click("#start")
	b.AwaitState("live")
	s.publish("exchange/our-own/thing", "k", `{}`)
	b.awaitRows("k")
	b.Fill("#exchange", "our-own")
	b.AwaitText("#exchange-list", "seen")
	b.press(kb.Escape)
	b.Await(`document.getElementById('exchange-list').hidden`)
}

// Each binding says how much it has brought, routes included.
func TestBindingsCountWhatTheyBring(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "primary.#", completed, "route.index.*"))
	b.AwaitState("live")
	s.publish(completed, "primary.a", `{}`)
	s.publish(completed, "primary.b", `{}`, "route.index.x")
	s.publish(completed, "other", `{}`, "route.index.y")
	b.awaitReceived(3)
	b.Await(`[...document.querySelectorAll('.brought')].map((e) => e.textContent).join() === '2,2'`)
}

// Equal sets of bindings are spelled alike, in whatever order they were added, in the stream's own
// URL as in the code to take away: a load balancer may then send them to one process.
func TestEqualBindingsAreSpelledAlike(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(failed, "b.#", completed, "z", completed, "a.*"))
	b.AwaitState("live")
	want := []amqp.Binding{{Exchange: completed, Pattern: "a.*"}, {Exchange: completed, Pattern: "z"}, {Exchange: failed, Pattern: "b.#"}}
	if streams := s.proxy.System.Snapshot().Streams; len(streams) != 1 || !slices.Equal(streams[0].Bindings, want) {
		t.Errorf("asked for %+v", streams)
	}
	b.Click("#tab-code")
	code := b.text("#snippet")
	b.visit(s.proxy.URL + link(completed, "z", completed, "a.*", failed, "b.#"))
	b.AwaitState("live")
	b.Click("#tab-code")
	if got := b.text("#snippet"); got != code || !strings.Contains(got, "b.#") {
		t.Errorf("first %s, then %s", code, got)
	}
}

// What a pattern means is told before it is used, and doubted where it hardly is what was meant: a
// wildcard is one only alone between dots.
func TestAPatternThatIsHardlyMeantIsDoubted(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+"/")
	b.Fill("#exchange", completed)
	for pattern, want := range map[string][2]string{
		"a..b#c":      {"exactly this routing key", "“b#c” is taken letter by letter"},
		"a..*":        {"“a”, then an empty word, then any one word", "two in a row"},
		"a..b":        {"exactly this routing key", "two in a row"},
		"#.a.#.#":     {"“a”", ""},
		"#.a.#.b.*.#": {"“b”", "2 words #"},
		"primary.#":   {"“primary”, then anything or nothing", ""},
	} {
		b.paste("#pattern", pattern)
		b.AwaitText("#pattern-about", want[0])
		if got := b.text("#pattern-caution"); want[1] == "" && got != "" || !strings.Contains(got, want[1]) {
			t.Errorf("%s is said to be %q", pattern, got)
		}
	}
	b.paste("#pattern", "a..b#c")
	b.Click("#add")
	b.AwaitText("#binding-list", "letter by letter") // as it is for whoever opens a link
}

// A link that is hardly meant as it is read says what is wrong with it, and why nothing comes of it.
func TestALinkThatIsNotUnderstoodSaysSo(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+"/?exchnge="+completed+"&utm_source=chat")
	b.AwaitText("#link-wrong", "“exchange” was probably meant")
	if said := b.text("#link-wrong"); strings.Contains(said, "utm_source") {
		t.Errorf("what is none of ours is named: %s", said)
	}
	b.visit(s.proxy.URL + `/?bindings={"bindings":[{"exchange":"`)
	b.AwaitText("#link-wrong", "no JSON")
	b.visit(s.proxy.URL + `/?bindings={"bindings":[{"exchange":"` + completed + `"},{"exchnge":"x"}]}`)
	b.AwaitText("#link-wrong", "as a whole")
	b.AwaitText("#binding-list", "task-completed")
	b.visit(s.proxy.URL + stoppedLink("exchange/"+strings.Repeat("a", 300), "#"))
	b.AwaitText("#link-wrong", "bytes")
	b.Fill("#exchange", completed)
	b.enter()
	b.AwaitText("#binding-list", "task-completed")
	b.Await(`document.getElementById('link-wrong').textContent === ''`)
}

// The end of a name tells exchanges apart: it is in sight where the field is too narrow for all of it.
func TestTheEndOfAnExchangesNameIsInSight(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+"/")
	b.Resize(1366, 768)
	b.Fill("#exchange", completed)
	b.Run(`document.getElementById('pattern').focus()`)
	b.Await(`((field) => field.scrollLeft > 0 && field.scrollLeft + field.clientWidth >= field.scrollWidth - 1)(document.getElementById('exchange'))`)
}

// A name that the broker has refused is a misspelling: it is not offered again, neither in the list
// nor by the next visit.
func TestARefusedExchangeIsNotSuggestedAgain(t *testing.T) {
	const wrong, right = "exchange/our-own/thingg", "exchange/our-own/thing"
	s := serve(t, actors.Options{})
	s.declare(right)
	b := open(t, s.proxy.URL+link(right, "#"))
	b.AwaitState("live") // this one is remembered
	b.visit(s.proxy.URL + link(wrong, "#"))
	b.AwaitText("#notice", "BindingRefused")
	for range 2 {
		b.Fill("#exchange", "our-own")
		b.Await(`document.querySelectorAll('#exchange-list [role=option]').length === 1`)
		b.AwaitText("#exchange-list", "used before")
		b.visit(s.proxy.URL + "/")
	}
}
