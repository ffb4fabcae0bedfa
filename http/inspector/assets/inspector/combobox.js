// A text field with suggestions, by the ARIA pattern: the field keeps the
// focus, arrows move in the list, Enter takes, Escape closes. Any other text
// may be typed as well.
import { make } from '../shared/dom.js';
import { nameParts } from '../shared/names.js';

/**
 * Wires a field, its list and its button. suggest(text) returns what to offer:
 * [{value, about, tag}]; taken(value) is called when one is taken.
 */
export function combobox(input, list, opener, suggest, taken) {
  let offered = [];
  let active = -1;

  const set = (open) => {
    list.hidden = !open;
    input.setAttribute('aria-expanded', open);
    if (!open) point(-1);
  };

  const point = (at) => {
    active = at;
    [...list.children].forEach((option, i) => option.setAttribute('aria-selected', i === at));
    const option = list.children[at];
    if (option) {
      input.setAttribute('aria-activedescendant', option.id);
      option.scrollIntoView({ block: 'nearest' });
    } else input.removeAttribute('aria-activedescendant');
  };

  const offer = (text) => {
    offered = suggest(text);
    list.replaceChildren(...offered.map(({ value, about, tag }, i) => make('li', { role: 'option', id: `${list.id}-${i}`, 'aria-selected': 'false' },
      make('span', { class: 'option-name' },
        make('strong', { text: nameParts(value)[1] || value }), about ? ` ${about}` : null, tag ? make('span', { class: 'tag', text: tag }) : null),
      make('span', { class: 'option-prefix', text: nameParts(value)[0] }))));
    set(offered.length > 0);
  };

  const take = (at) => {
    input.value = offered[at].value;
    set(false);
    taken(input.value);
  };

  input.addEventListener('input', () => offer(input.value));
  input.addEventListener('click', () => list.hidden && offer(input.value));
  input.addEventListener('blur', () => set(false));
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const step = event.key === 'ArrowDown' ? 1 : -1;
      if (list.hidden) offer(input.value);
      if (offered.length) point((active + step + offered.length + (active < 0 && step < 0 ? 1 : 0)) % offered.length);
    } else if (event.key === 'Enter' && active >= 0) take(active);
    else if (event.key === 'Escape' && !list.hidden) set(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // A press would take the focus from the field, and so close the list.
  list.addEventListener('pointerdown', (event) => event.preventDefault());
  list.addEventListener('click', (event) => {
    const at = [...list.children].indexOf(event.target.closest('[role=option]'));
    if (at >= 0) take(at);
  });
  opener.addEventListener('pointerdown', (event) => event.preventDefault());
  opener.addEventListener('click', () => {
    input.focus();
    if (list.hidden) offer('');
    else set(false);
  });
}
