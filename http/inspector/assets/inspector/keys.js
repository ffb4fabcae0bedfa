// Single keys as shortcuts, wherever no text is being typed; they can be turned off
// for those whose hands or speech software press keys unasked.
import { byId } from '../shared/dom.js';
import { recall, remember } from '../shared/memory.js';

/** Calls acts[key]() for a key pressed outside of fields and dialogs. */
export function shortcuts(acts) {
  const on = byId('keys-on');
  on.checked = recall('keys') !== 'off';
  on.addEventListener('change', () => remember('keys', on.checked ? 'on' : 'off'));
  document.addEventListener('keydown', (event) => {
    if (!on.checked || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest('input, textarea, select, dialog, [contenteditable]')) return;
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
