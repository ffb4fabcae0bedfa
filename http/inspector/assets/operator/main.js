// The operator's page, put together: a picture a second, drawn by five parts.
import { coloursButton } from '../shared/colours.js';
import { byId, setText } from '../shared/dom.js';
import { bytes, clock, count, rate } from '../shared/format.js';
import { askToCrash, askToCrashStream, askToEnd } from './acts.js';
import { Ends } from './ends.js';
import { Feed } from './feed.js';
import { Links } from './links.js';
import { Streams } from './streams.js';
import { ActorTree } from './tree.js';

let latest = null; // the newest picture
let before = null; // the one before
let drawn = null;

const tree = new ActorTree(byId('tree'), askToCrash);
const streams = new Streams({
  end: askToEnd,
  crash: (stream) => askToCrashStream(stream, latest.actors.some(({ role }) => role === 'feeds')),
});
const parts = [tree, streams, new Links(), new Ends(), { show: figures }];

const feed = new Feed({
  picture: (picture) => {
    before = latest;
    latest = picture;
    draw();
  },
  state: (state) => {
    const shown = byId('state');
    if (shown.dataset.state === state) return;
    shown.dataset.state = state;
    setText(byId('state-text'), state === 'live' ? 'Live' : 'Lost: trying again');
    byId('lost').hidden = state === 'live' || !latest;
    byId('board').classList.toggle('stale', state !== 'live');
    if (latest) setText(byId('lost-since'), clock(new Date(latest.time)).slice(0, 8));
  },
});

// A page in the background is not drawn: it draws the newest state when it is shown again.
function draw() {
  if (document.hidden || !latest || drawn === latest) return;
  drawn = latest;
  byId('chaos').hidden = !latest.chaos;
  setText(byId('tree-count'), count(latest.actors.length));
  parts.forEach((part) => part.show(latest));
}

function figures({ stats, time }) {
  const passed = before ? (Date.parse(time) - Date.parse(before.time)) / 1000 : 0;
  const perSecond = (name) => (passed > 0 ? Math.max(0, stats[name] - before.stats[name]) / passed : 0);
  setText(byId('figure-streams'), count(stats.Streams));
  setText(byId('figure-messages'), rate(perSecond('Messages')));
  setText(byId('figure-data'), `${bytes(perSecond('Bytes'))}/s`);
  setText(byId('figure-links'), count(stats.Links));
  setText(byId('figure-lost'), count(stats.LinksLost));
  setText(byId('figure-dials'), count(stats.DialsFailed));
  setText(byId('figure-failures'), count(stats.Failures));
  setText(byId('figure-restarts'), count(stats.Restarts));
  byId('figure-links').classList.toggle('bad-figure', stats.Links === 0);
}

document.addEventListener('visibilitychange', draw);
coloursButton(byId('theme'), byId('theme-text'));
feed.open();
