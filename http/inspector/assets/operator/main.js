// The operator's page, put together: a picture a second, drawn by five parts.
import { coloursButton } from '../shared/colours.js';
import { byId, setText } from '../shared/dom.js';
import { bytes, clock, count, rate } from '../shared/format.js';
import { askToCrash, askToCrashStream, askToEnd } from './acts.js';
import { Ends } from './ends.js';
import { Feed } from './feed.js';
import { Links } from './links.js';
import { Pace } from './pace.js';
import { Streams } from './streams.js';
import { ActorTree } from './tree.js';

let latest = null; // the newest picture
let drawn = null;
const messages = new Pace();
const data = new Pace();
const matches = new Pace();

const tree = new ActorTree(byId('tree'), askToCrash);
const streams = new Streams({
  end: askToEnd,
  crash: (stream) => askToCrashStream(stream, stream.fed),
});
const parts = [tree, streams, new Links(), new Ends(), { show: figures }];

const feed = new Feed({
  picture: (picture) => {
    latest = picture;
    const now = Date.parse(picture.time);
    messages.add(now, picture.stats.Messages);
    data.add(now, picture.stats.Bytes);
    matches.add(now, picture.stats.Matches);
    streams.sample(picture);
    draw();
  },
  state: (state) => {
    const shown = byId('state');
    if (shown.dataset.state === state) return;
    shown.dataset.state = state;
    setText(byId('state-text'), { live: 'Live', lost: 'Lost: trying again', denied: 'No access' }[state]);
    byId('lost').hidden = state !== 'lost' || !latest;
    byId('denied').hidden = state !== 'denied';
    byId('board').classList.toggle('stale', state !== 'live');
    if (latest) setText(byId('lost-since'), clock(new Date(latest.time)).slice(0, 8));
  },
});

// A page in the background is not drawn: it draws the newest state when it is shown again.
function draw() {
  if (document.hidden || !latest || drawn === latest) return;
  drawn = latest;
  byId('chaos').hidden = !latest.chaos;
  byId('draining').hidden = !latest.draining;
  setText(byId('tree-count'), count(latest.actors.length));
  parts.forEach((part) => part.show(latest));
}

function figures({ stats }) {
  setText(byId('figure-streams'), count(stats.Streams));
  setText(byId('figure-messages'), rate(messages.perSecond));
  setText(byId('figure-data'), `${bytes(data.perSecond)}/s`);
  setText(byId('figure-patterns'), count(stats.Patterns));
  setText(byId('figure-matches'), rate(matches.perSecond));
  document.querySelectorAll('.routed').forEach((figure) => { figure.hidden = stats.Routed === 0; });
  setText(byId('figure-links'), count(stats.Links));
  setText(byId('figure-lost'), count(stats.LinksLost));
  setText(byId('figure-dials'), count(stats.DialsFailed));
  setText(byId('figure-failures'), count(stats.Failures));
  setText(byId('figure-restarts'), count(stats.Restarts));
  byId('figure-links').classList.toggle('bad-figure', stats.Links === 0);
}

document.addEventListener('visibilitychange', draw);
byId('reload').addEventListener('click', () => {
  feed.close(); // and with it the question for a password
  location.reload();
});
coloursButton(byId('theme'), byId('theme-text'));
feed.open();
