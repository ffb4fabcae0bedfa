// What an operator may do, each asked once more in a dialog of the page.
import { beside } from '../shared/address.js';
import { say } from '../shared/clipboard.js';
import { button, byId, make } from '../shared/dom.js';
import { short } from './tree.js';

const whatFails = {
  connection: 'The stream ends with InternalError; no other notices.',
  feed: 'Every stream on the same shared queue ends with InternalError.',
  consumer: 'The stream’s channel goes; it ends with InternalError.',
  worker: 'The goroutine that takes deliveries panics; the stream ends with InternalError.',
  broker: 'Every link goes and is dialed anew; streams end with BrokerLost or InternalError.',
  connections: 'Every stream ends; the actor is restarted and admits new ones.',
  feeds: 'Every shared queue goes with its streams; the actor is restarted.',
  events: 'The whole tree starts anew; every stream ends.',
};

/** Asks whether a stream shall end, and ends it. */
export function askToEnd(stream) {
  ask(`End stream ${short(stream.id)}?`,
    `Its client${stream.address ? ` at ${stream.address}` : ''} is told ServerShutdown, and may connect again in a moment.`, [],
    [{ text: 'End the stream', act: () => post(`__tree__/end?${new URLSearchParams({ stream: stream.id })}`, `Stream ${short(stream.id)} was told to end`) }]);
}

/** Asks which actor of a stream shall fail, and makes it fail. */
export function askToCrashStream(stream, shared) {
  const roles = ['connection', ...(shared ? ['feed'] : []), 'consumer', 'worker'];
  ask(`Crash an actor of stream ${short(stream.id)}?`, 'It panics, as a defect would make it. What its supervisor does is seen in the tree.',
    roles, roles.map((role) => ({ text: `Crash the ${role}`, role, act: () => crash(role, stream.id) })));
}

/** Asks whether a permanent actor shall fail, and makes it fail. */
export function askToCrash(actor) {
  ask(`Crash ${actor.role}?`, `It panics, as a defect would make it. ${whatFails[actor.role] ?? ''}`.trim(), [],
    [{ text: `Crash ${actor.role}`, role: actor.role, act: () => crash(actor.role) }]);
}

const crash = (role, stream) =>
  post(`__chaos__/crash?${new URLSearchParams({ role, ...(stream ? { stream } : {}) })}`, `The ${role} was made to fail`);

// ask shows the dialog; Escape and Cancel close it and do nothing.
function ask(title, text, roles, acts) {
  const dialog = byId('confirm');
  byId('confirm-title').textContent = title;
  byId('confirm-text').textContent = text;
  const list = byId('confirm-choices');
  list.hidden = roles.length === 0;
  list.replaceChildren(...roles.flatMap((role) => [make('dt', { text: role }), make('dd', { text: whatFails[role] })]));
  const done = (act) => () => {
    dialog.close();
    act();
  };
  byId('confirm-acts').replaceChildren(
    button('Cancel', () => dialog.close(), { class: 'cancel', autofocus: true }),
    ...acts.map(({ text: name, role, act }) => button(name, done(act), { class: 'danger', 'data-crash': role })));
  dialog.showModal();
}

async function post(path, done) {
  try {
    const answer = await fetch(beside(path), { method: 'POST' });
    if (answer.ok) return say(done);
    const told = await answer.json().catch(() => ({}));
    say(`Not done: ${told.message ?? `the proxy answered ${answer.status}`}`);
  } catch {
    say('Not done: the proxy does not answer');
  }
}
