// The notice of a stream's end: what happened, what it means, what to do.
import { button, make } from '../shared/dom.js';

/** Shows a failure in an element; acts are [{text, act, primary}]. */
export function showFailure(root, failure, acts) {
  root.replaceChildren(
    make('div', { class: 'notice-text' },
      make('h2', {}, failure.title, ' ', make('code', { class: 'tag', text: failure.code })),
      failure.message ? make('p', { class: 'told', text: failure.message }) : null,
      make('p', { text: failure.meaning }),
      make('p', {}, make('strong', { text: 'What to do: ' }), failure.next)),
    make('div', { class: 'notice-acts' },
      ...acts.map(({ text, act, primary }) => button(text, act, { class: primary ? 'primary' : '' })),
      button('Dismiss', () => hideNotice(root), { class: 'quiet' })));
  root.dataset.kind = failure.retryable ? 'passing' : 'lasting';
  root.hidden = false;
  root.scrollIntoView({ block: 'nearest' });
}

export function hideNotice(root) {
  root.hidden = true;
  root.replaceChildren();
}
