// The links to the broker, or that there is none and what is done about it.
import { byId, make, setText } from '../shared/dom.js';
import { counted, stopwatch } from '../shared/format.js';
import { Rows } from './rows.js';
import { mood } from './tree.js';

export class Links {
  #rows = new Rows(byId('links'), () => row());

  show({ links, actors, time }) {
    this.#rows.show((links ?? []).map((link, i) => ({ ...link, number: i + 1, now: Date.parse(time) })), (link) => `${link.since} ${link.number}`);
    const none = byId('no-links');
    none.hidden = links?.length > 0;
    const state = actors.find(({ role }) => role === 'broker')?.state ?? 'starting';
    none.dataset.mood = mood(state) === 'good' ? 'warn' : mood(state);
    setText(byId('no-links-text'), `No link: ${state === 'up' ? 'starting' : state}. ${nextOf[state] ?? ''}`.trim());
  }
}

const nextOf = {
  dialing: 'New streams wait until the broker answers.',
  down: 'The last try has failed; the next one comes by itself.',
};

function row() {
  const title = make('span', { class: 'link-name' });
  const facts = make('span', { class: 'facts' });
  const state = make('span', { class: 'mood' });
  const element = make('li', {}, title, state, facts);
  return {
    element,
    show: ({ number, since, now, address, channels, capacity, opening, stuck, retired, blind }) => {
      setText(title, `Link ${number}`);
      setText(state, blind ? 'blind' : retired ? 'retired' : 'up');
      state.dataset.mood = blind ? 'bad' : retired ? 'warn' : 'good';
      const parts = [`for ${stopwatch(Math.max(0, now - Date.parse(since)) / 1000)}`];
      if (address) parts.push(address);
      parts.push(`${counted(channels, 'channel')} of ${capacity}`);
      if (opening > 0) parts.push(`${counted(opening, 'stream')} opening`);
      if (stuck > 0) parts.push(`${counted(stuck, 'call')} without an answer`);
      if (blind) parts.push('its node does not hear the others of the cluster: no streams');
      setText(facts, parts.join(' · '));
    },
  };
}
