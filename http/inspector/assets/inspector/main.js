// The inspector, put together.
import { BindingList } from './bindinglist.js';
import { Bindings } from './bindings.js';
import { beside } from '../shared/address.js';
import { copy, say } from '../shared/clipboard.js';
import { codeTab } from './code.js';
import { onCrowd } from './crowd.js';
import { coloursButton } from '../shared/colours.js';
import { byId, make, setText } from '../shared/dom.js';
import { bindingForm } from './editor.js';
import { examples } from './examples.js';
import { Figures } from './figures.js';
import { counted } from '../shared/format.js';
import { Inbox } from './inbox.js';
import { shortcuts } from './keys.js';
import { decode } from './message.js';
import { readLink, writeLink } from './permalink.js';
import { seriesFor } from './series.js';
import { Session } from './session.js';
import { forgetExchange, sawExchange, usedExchanges } from './suggestions.js';
import { tabs } from './tabs.js';

const bindings = new Bindings(() => bindingsChanged());
const list = new BindingList(byId('binding-list'), (binding) => bindings.remove(binding));
const figures = new Figures();
const showCode = codeTab();
// The code takes the drawer's place; the opened message is there again with the messages.
const views = tabs(document.querySelector('.content > .tabs'), (tab) => (byId('layout').dataset.view = tab.id.slice('tab-'.length)));
const form = bindingForm((binding) => bindings.add(binding));

const inbox = new Inbox({
  bind: (binding) => say(bindings.add(binding) || 'Binding added'),
  looked: () => writeAddress(),
  cleared: () => {
    figures.clear();
    list.reset();
  },
  drawn: () => {
    figures.draw();
    list.draw();
    drawPlaceholders();
  },
});

const session = new Session(bindings, {
  message: received,
  changed: () => {
    const listening = session.state === 'live' || session.state === 'silent';
    if (session.state === 'live') usedExchanges(bindings.list.map(({ exchange }) => exchange));
    if (session.state === 'connecting') foldSide(true);
    if (session.state !== 'ended') started = listening;
    figures.open(listening);
    writeAddress();
    drawPlaceholders();
  },
  refused: (exchange, code) => {
    list.mark(exchange);
    if (code === 'BindingRefused') forgetExchange(exchange);
  },
});

let number = 0;
let started = false; // the stream that is open, or was the last

function received(data) {
  const message = decode(data, ++number, new Date());
  message.series = seriesFor(message, bindings.list);
  sawExchange(message.exchange);
  form.sample(message.exchange, message.routingKey);
  figures.add(message);
  list.count(message);
  inbox.add(message);
}

function bindingsChanged() {
  const n = bindings.list.length;
  setText(byId('link-wrong'), '');
  list.show(bindings.list);
  showCode(bindings.list);
  setText(byId('binding-count'), String(n));
  byId('clear-bindings').disabled = n === 0;
  byId('no-bindings').hidden = n > 0;
  foldSide(byId('side-fold').getAttribute('aria-expanded') === 'false');
  byId('examples-fold').hidden = n === 0;
  session.rebind();
  writeAddress();
  drawPlaceholders();
}

// Before the first message the panel shows what to do, or what it waits for.
function drawPlaceholders() {
  const empty = inbox.arrived === 0;
  const n = bindings.list.length;
  byId('welcome').hidden = !empty || n > 0 || session.open;
  byId('waiting').hidden = !empty || n === 0;
  byId('toolbar').hidden = empty && n === 0;
  byId('content').classList.toggle('untouched', !byId('welcome').hidden);
  const [text, hint] = {
    live: ['Listening. Nothing has been published yet that matches.', 'Each message appears here the moment it is published. A wider pattern, such as #, brings more.'],
    silent: ['Nothing heard for over a minute, not even a sign of life.', 'The network may have gone without a word. Stop and start to be sure.'],
    slow: ['Still connecting…', 'A browser opens six connections to a server at most: close other inspector tabs, or check that the server is up.'],
    crowded: ['Waiting for a free connection…', 'The reason is above.'],
    connecting: ['Connecting…', ''],
    binding: ['Connected. The broker is setting up the bindings…', ''],
    ended: [started ? 'The stream has ended.' : 'The stream did not start.', 'The reason is above.'],
  }[session.state] ?? [`Ready to listen with ${counted(n, 'binding')}.`, 'Press Start, or the key s.'];
  setText(byId('waiting-text'), text);
  setText(byId('waiting-hint'), hint);
  byId('waiting').dataset.state = session.state;
}

function writeAddress() {
  const query = writeLink({ bindings: bindings.list, filter: byId('filter').value.trim(), columns: inbox.columns, live: session.open });
  history.replaceState(null, '', location.pathname + query);
}

// Where all stands in one column, the bindings are folded: messages come first.
function foldSide(folded) {
  byId('side-fold').setAttribute('aria-expanded', !folded);
  const n = bindings.list.length;
  setText(byId('side-fold'), !folded ? 'Hide' : n ? 'Change' : 'Add a binding');
}

function toForm() {
  foldSide(false);
  byId('exchange').focus();
}

function exampleButtons() {
  return examples.map(({ title, about, bindings: added }) => make('li', {},
    make('button', { type: 'button', class: 'example', click: () => {
      bindings.add(...added);
      session.start();
    } }, make('strong', { text: title }), make('span', { text: about }))));
}

byId('examples').append(...exampleButtons());
byId('examples-side').append(...exampleButtons());
byId('side-fold').addEventListener('click', ({ target }) => foldSide(target.getAttribute('aria-expanded') === 'true'));
byId('clear-bindings').addEventListener('click', () => bindings.clear());
byId('copy-link').addEventListener('click', () => copy(beside(location.href), 'the link'));
byId('to-exchange').addEventListener('click', (event) => {
  event.preventDefault();
  toForm();
});
onCrowd((full) => (byId('crowd').hidden = !full));
byId('help').addEventListener('click', () => byId('help-dialog').showModal());
coloursButton(byId('theme'), byId('theme-text'));
shortcuts({
  '/': () => {
    views.choose(byId('tab-messages'));
    byId('filter').focus();
  },
  e: () => toForm(),
  s: () => session.toggle(),
  p: () => inbox.togglePause(),
  m: () => {
    views.choose(byId('tab-messages'));
    inbox.focus();
  },
  '?': () => byId('help-dialog').showModal(),
});

// The address determines what is shown at first.
const asked = readLink(location.search);
const wrong = [...asked.doubts, bindings.add(...asked.bindings)].filter(Boolean).join(' ');
if (asked.filter) inbox.filterBy(asked.filter);
if (asked.columns.length > 0) inbox.addColumns(asked.columns);
bindingsChanged();
setText(byId('link-wrong'), wrong);
if (asked.live) session.start();
inbox.draw();
setInterval(() => figures.drawChart(), 1000);
figures.drawChart();
