// How many streams the tabs of this browser have open to this server. Over
// HTTP/1.1 a browser opens six connections to a server at most, whatever its
// tabs: further streams, and even further pages, wait for one to be closed.
// The tabs tell each other; where they cannot, each counts itself alone.

const most = 6;
const settling = 300; // ms in which all tabs have answered

const line = 'BroadcastChannel' in globalThis ? new BroadcastChannel('inspector.streams') : null;
const me = crypto.getRandomValues(new Uint32Array(2)).join('-');
const others = new Set(); // tabs with a stream
let open = false; // this tab's stream has its connection
let told = () => {};
let timer;

/** Calls full(taken) when the count changes: taken is true where this tab has a stream and the last free connection is gone. */
export function onCrowd(full) {
  told = full;
}

/** Tells the other tabs whether this one has an open stream. */
export function streamIs(now) {
  if (open === now) return;
  open = now;
  if (open) count(); // also corrects what a tab that crashed has left
  else say('gone');
}

/** Resolves to whether other tabs hold all connections. */
export async function crowded() {
  if (!limited()) return false;
  count();
  await new Promise((done) => setTimeout(done, settling));
  return others.size >= most;
}

// The page came by the protocol that its streams will use.
function limited() {
  const [page] = performance.getEntriesByType('navigation');
  return (page?.nextHopProtocol || (location.protocol === 'http:' ? 'http/1.1' : '')) === 'http/1.1';
}

function count() {
  others.clear();
  say('count');
  if (open) say('here');
}

function say(what) {
  line?.postMessage({ what, tab: me });
  draw();
}

line?.addEventListener('message', ({ data: { what, tab } }) => {
  if (what === 'here') others.add(tab);
  else others.delete(tab);
  if (what === 'count') {
    others.clear();
    if (open) say('here');
  }
  draw();
});
addEventListener('pagehide', () => streamIs(false));

function draw() {
  clearTimeout(timer);
  timer = setTimeout(() => told(limited() && open && others.size + 1 >= most), settling);
}
