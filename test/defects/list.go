package main

// defect is a small change of the product that must not pass the tests.
type defect struct {
	name  string
	means string // what a user would lose
	file  string
	// from stands exactly once in the file; to replaces it.
	from, to string
	suites   []suite
}

// suite is the arguments of a go test.
type suite string

// The suites that defects name.
const (
	actorsSuite    suite = "./actors -run Acknowledge|Verdict|LeaveNothing|ReadyComes|NoMessageComesBeforeReady|IsCut|SlowReader|Bytes|Panic|TreeHeals|IsDownAtTheStart|GivenOut|Refuses|RefusedBinding|DrainTells|FirstPing|FeedsFailure|LogTells|WithoutAConsumer|HeardAgain|NotCut|JSON|Routing|Redeliver"
	leftSuite      suite = "./actors -run Exchange"
	httpSuite      suite = "./http -run 204|Acknowledged|TheEnd|AfterTheError|EmptyLastEventID"
	bindingsSuite  suite = "./http/bindings ./actors/amqp -run Binding|Pattern|Hash|Parse"
	memorySuite    suite = "./actors/amqp -run Memory|Bounded|Queue"
	scenariosSuite suite = "./test/scenarios -run OnMemory"
	unsaidSuite    suite = "./test/chaos/unsaid"
	randomSuite    suite = "./test/chaos/random -run Heals"
)

var defects = []defect{
	{
		"ack before write", "a message that was not written is forgotten by the broker",
		"actors/stream_reader.go", "		s.takenTag = lastMessage(events).tag\n", "		s.takenTag = lastMessage(events).tag\n		if s.acks != nil {\n			defer s.acks.acknowledge(s.takenTag)\n		}\n",
		[]suite{actorsSuite, httpSuite},
	},
	{
		"acknowledged never", "the window fills and every stream stands still",
		"actors/worker.go", "		if err := channel.Acknowledge(tag); err != nil {", "		if err := error(nil); err != nil {",
		[]suite{actorsSuite},
	},
	{
		"lost verdict", "a stream that is cut is not told why",
		"actors/stream.go", "	s.enqueue(err)\n", "",
		[]suite{actorsSuite},
	},
	{
		"last verdict stands", "a stream is told the consequence instead of the cause",
		"actors/stream.go", "func (s *Stream) finish(err *Error) {\n	s.mu.Lock()\n	if s.verdict != nil {\n", "func (s *Stream) finish(err *Error) {\n	s.mu.Lock()\n	if s.verdict == err {\n",
		[]suite{actorsSuite},
	},
	{
		"forgotten close", "each stream leaves a channel open",
		"actors/worker.go", "	defer channel.Close()\n	for busy", "	for busy",
		[]suite{actorsSuite},
	},
	{
		"ready too early", "messages after ready are missed",
		"actors/opening.go",
		"	if err = w.subscribe(channel); err != nil || w.cancelled.Load() {\n		if isDenied(err, w.queue) {\n			w.lease.denied(failureOf(err))\n		}\n		return channel, err\n	}\n	w.lease.opened()\n	w.intake.sink.ready(w)\n	w.report(subscribed{})\n",
		"	w.intake.sink.ready(w)\n	w.report(subscribed{})\n	if err = w.subscribe(channel); err != nil || w.cancelled.Load() {\n		if isDenied(err, w.queue) {\n			w.lease.denied(failureOf(err))\n		}\n		return channel, err\n	}\n	w.lease.opened()\n",
		[]suite{actorsSuite},
	},
	{
		"bound before ready, but the last", "messages of the last binding are missed",
		"actors/opening.go", "for _, binding := range w.intake.bindings {", "for _, binding := range w.intake.bindings[:max(min(1, len(w.intake.bindings)), len(w.intake.bindings)-1)] {",
		[]suite{actorsSuite, scenariosSuite},
	},
	{
		"watchdog of readers off", "a client that stopped reading keeps its queue for ever",
		"actors/window.go", "full && time.Since(w.fullSince) >= w.limits.SlowAfter", "full && time.Since(w.fullSince) < 0",
		[]suite{actorsSuite},
	},
	{
		"backlog limit off", "the broker drops what a slow client has not read",
		"actors/window.go", "depth > w.limits.Backlog", "depth < 0",
		[]suite{actorsSuite},
	},
	{
		"byte limit off", "a slow client of a shared queue takes the process's memory",
		"actors/backlog.go", "b.limit == 0 || size == 0 ||", "b.limit >= 0 || size == 0 ||",
		[]suite{actorsSuite},
	},
	{
		"slow client takes the others along", "one client that is cut costs a feed's others a message",
		"actors/hub.go", "			h.ended = append(h.ended, s)\n", "			h.ended = append(h.ended, s)\n			return\n",
		[]suite{actorsSuite, unsaidSuite},
	},
	{
		"worker's panic unheard", "the log does not tell an operator what failed",
		"actors/worker.go", "func (w *worker) deliver(channel amqp.Channel) (err error) {\n	defer recovered(&err)\n", "func (w *worker) deliver(channel amqp.Channel) (err error) {\n	defer func() { recover() }()\n",
		[]suite{actorsSuite},
	},
	{
		"lease not given back", "a link is full after some hundred streams",
		"actors/worker.go", "	w.lease.release()\n", "",
		[]suite{actorsSuite},
	},
	{
		"no redial", "the broker's return is not noticed",
		"actors/broker_links.go", "	b.dialLater(ctx, delay)\n", "",
		[]suite{actorsSuite},
	},
	{
		"queue of a refused stream stays", "each refused stream leaves a queue",
		"actors/opening.go", "			w.deleteQueue() // where the port panicked, too\n", "",
		[]suite{actorsSuite},
	},
	{
		"drain forgets the streams", "a deploy cuts every stream without a word",
		"actors/connection.go", "	case shutdown:\n		c.finish(ctx, msg.err)\n", "	case shutdown:\n		ctx.Stop(ctx.Self())\n",
		[]suite{actorsSuite},
	},
	{
		"no 204", "every browser reconnects for ever after an error",
		"http/connect.go", "	return r.Header.Get(\"Last-Event-ID\") != \"\"\n", "	return false\n",
		[]suite{httpSuite},
	},
	{
		"204 for polyfills off", "polyfills reconnect for ever after an error",
		"http/connect.go", "key == \"lastEventId\" && value != \"\"", "key == \"lastEventID\" && value != \"\"",
		[]suite{httpSuite},
	},
	{
		"write after the error", "a client sees events after the end",
		"http/writer.go", "		if ended {\n			break\n		}\n", "",
		[]suite{httpSuite},
	},
	{
		"written, not acknowledged", "a stream stands still after its window",
		"http/writer.go", "		w.stream.Written(b.last)\n", "",
		[]suite{httpSuite},
	},
	{
		"first ping missing", "a browser never learns the id that stops it",
		"actors/connection.go", "	c.setState(\"opening\")\n	c.pingNow(ctx)\n", "	c.setState(\"opening\")\n",
		[]suite{actorsSuite},
	},
	{
		"feed not rebuilt", "after a feed's failure equal bindings are refused for ever",
		"actors/feeds.go", "	delete(f.byKey, entry.key)\n", "",
		[]suite{actorsSuite},
	},
	{
		"costly patterns allowed", "one client's pattern stops an exchange",
		"actors/amqp/binding.go", "const MaxHashes = 2", "const MaxHashes = 20",
		[]suite{bindingsSuite, scenariosSuite},
	},
	{
		"queue without an expiry", "queues of a proxy that died stay for ever",
		"actors/amqp/queue.go", "		\"x-expires\":    int64(queueExpires / time.Millisecond),\n", "",
		[]suite{memorySuite},
	},
	{
		"redelivered unmarked", "a second copy looks like a new message",
		"actors/encode.go", "strconv.FormatBool(m.Redelivered)", "strconv.FormatBool(false)",
		[]suite{actorsSuite},
	},
	{
		"broken JSON passed on", "a body that is not JSON breaks the page",
		"actors/encode.go", "	b.Truncate(start)\n	quote(b, string(body))\n	return encodingUTF8\n", "	b.Truncate(start)\n	b.Write(body)\n	return encodingUTF8\n",
		[]suite{actorsSuite},
	}, {
		"no rebinding", "a stream is deaf for ever once its exchange was made again",
		"actors/worker.go", "return channel.Bind(w.queue, binding) }); err != nil {\n			return rebindFailure", "_ = binding; return nil }); err != nil {\n			return rebindFailure",
		[]suite{actorsSuite},
	},
	{
		"cut instead of retired", "one call that is not answered ends every stream of its link",
		"actors/broker_stuck.go", "	case b.probed[link]:\n", "	case b.probed[link] && b.pool == nil:\n",
		[]suite{actorsSuite},
	},
	{
		"link cut while it makes", "an exchange that is being made when the service ends stays for ever",
		"actors/guard.go", "	g.held.end(patience)\n", "",
		[]suite{leftSuite},
	},
}
