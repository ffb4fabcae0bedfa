// The supervision tree, as it is. The permanent actors are always in sight;
// those that come and go with streams are behind a fold with their number.
import { button, make, setText } from '../shared/dom.js';
import { count, stopwatch } from '../shared/format.js';
import { Rows } from './rows.js';

const atOnce = 100; // children shown before a button asks for more
const recently = 15_000; // ms for which a failure stands out
const permanent = new Set(['events', 'broker', 'connections', 'feeds']);
const goodStates = new Set(['running', 'up', 'ready', 'consuming']);

/** Which colour a state has: good, warn or bad. */
export const mood = (state) => (goodStates.has(state) ? 'good' : state === 'down' ? 'bad' : 'warn');

/** The first letters of an id: enough to tell streams apart on a page. */
export const short = (id) => id.slice(0, 7);

const seconds = (nanoseconds) => nanoseconds / 1e9;

/** An age in nanoseconds: "1:05". */
export const age = (nanoseconds) => stopwatch(Math.max(0, seconds(nanoseconds)));

export class ActorTree {
  #rows;
  #crash;
  #picture = null;
  #children = new Map(); // id → its children's actors

  /** Shows trees in a list element; crash(actor) is called for the buttons. */
  constructor(root, crash) {
    this.#crash = crash;
    this.#rows = new Rows(root, (actor) => this.#item(actor));
  }

  show(picture) {
    this.#picture = picture;
    this.#children = Map.groupBy(picture.actors, (actor) => actor.parent ?? '');
    this.#rows.show(this.#children.get('') ?? [], (actor) => actor.id);
  }

  #item(actor) {
    const parts = {
      fold: make('button', { type: 'button', class: 'fold-button', 'aria-expanded': String(actor.role === 'events'), click: () => toggle() }),
      number: make('span', { class: 'number-of' }),
      state: make('span', { class: 'mood' }),
      facts: make('span', { class: 'facts' }),
      failure: make('p', { class: 'failure', hidden: true }),
      crash: button('Crash…', () => this.#crash(actor), { class: 'quiet small chaos', hidden: true, 'aria-label': `Crash ${nameOf(actor)}…` }),
      group: make('ul', { class: 'group' }),
      more: button('', () => more(), { class: 'small more-rows', hidden: true }),
    };
    const element = make('li', { class: 'actor', 'data-role': actor.role, 'data-stream': actor.stream },
      make('div', { class: 'actor-line' }, parts.fold,
        make('span', { class: 'role', text: actor.role }),
        actor.stream ? make('code', { class: 'short', text: short(actor.stream), title: `Stream ${actor.stream}` }) : null,
        parts.number, parts.state, parts.facts, parts.crash),
      parts.failure, parts.group, parts.more);
    if (!permanent.has(actor.role)) element.classList.add('fresh'); // comes in with a flash
    const children = new Rows(parts.group, (child) => this.#item(child));
    let most = atOnce;
    let shown = actor;
    const show = (next) => {
      shown = next;
      this.#draw(element, parts, next);
      this.#drawChildren(parts, next, children, most);
    };
    const toggle = () => {
      parts.fold.setAttribute('aria-expanded', String(parts.fold.getAttribute('aria-expanded') !== 'true'));
      show(shown);
    };
    const more = () => {
      most += atOnce;
      show(shown);
    };
    return { element, show };
  }

  #draw(element, parts, actor) {
    setText(parts.state, actor.state);
    parts.state.dataset.mood = mood(actor.state);
    setText(parts.facts, facts(actor));
    parts.crash.hidden = !this.#picture.chaos || !(permanent.has(actor.role));
    parts.failure.hidden = !actor.failure;
    const since = actor.failedAt ? Date.parse(this.#picture.time) - Date.parse(actor.failedAt) : Infinity;
    element.classList.toggle('recent', since < recently);
    if (actor.failure) setText(parts.failure, `failed ${stopwatch(Math.max(0, since) / 1000)} ago: ${actor.failure}`);
  }

  #drawChildren(parts, actor, rows, most) {
    const children = this.#children.get(actor.id) ?? [];
    const open = parts.fold.getAttribute('aria-expanded') === 'true';
    const passing = children.filter(({ role }) => !permanent.has(role));
    parts.fold.classList.toggle('leaf', children.length === 0);
    parts.fold.disabled = children.length === 0;
    parts.fold.setAttribute('aria-label', `Children of ${nameOf(actor)}`);
    setText(parts.number, this.#numbers(actor, passing));
    parts.group.hidden = !open || children.length === 0;
    rows.show(open ? children.slice(0, most) : [], (child) => child.id);
    parts.more.hidden = !open || children.length <= most;
    if (!parts.more.hidden) setText(parts.more, `${count(children.length - most)} more…`);
  }

  // Of many streams the picture has some; the counter has all.
  #numbers(actor, passing) {
    if (actor.role === 'connections') {
      const all = Math.max(this.#picture.stats.Streams, passing.length);
      return all > passing.length ? `${count(passing.length)} of ${count(all)}` : count(all);
    }
    return actor.role === 'feeds' ? count(passing.length) : '';
  }
}

function nameOf(actor) {
  return actor.stream ? `${actor.role} ${short(actor.stream)}` : actor.role;
}

// "1:05 · 3 waiting · 1 restart"
function facts(actor) {
  const all = [age(actor.age)];
  if (actor.mailbox > 0) all.push(`${count(actor.mailbox)} in mailbox`);
  if (actor.restarts > 0) all.push(`${count(actor.restarts)} ${actor.restarts === 1 ? 'restart' : 'restarts'}`);
  return all.join(' · ');
}
