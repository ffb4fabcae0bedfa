// The code tab.
import { byId, make } from '../shared/dom.js';
import { copy } from '../shared/clipboard.js';
import { canonical } from './bindings.js';
import { base, languages } from './snippets.js';
import { tabs } from './tabs.js';

const placeholder = [{ exchange: 'exchange/taskcluster-queue/v1/task-completed', routingKeyPattern: 'primary.#' }];

/** Wires the tab; the function that it returns shows the code for bindings. */
export function codeTab() {
  let bindings = [];
  let language = languages[0];

  const show = () => {
    byId('snippet').textContent = language.write(base(), bindings.length ? canonical(bindings) : placeholder);
    byId('snippet-note').textContent = language.note + (bindings.length ? '' : ' There is no binding yet: this one stands for yours.');
    byId('snippet-panel').setAttribute('aria-labelledby', `language-${language.id}`);
  };

  byId('languages').append(...languages.map((l, i) =>
    make('button', { type: 'button', role: 'tab', id: `language-${l.id}`, text: l.name, 'aria-controls': 'snippet-panel',
      'aria-selected': i === 0, tabindex: i === 0 ? '0' : '-1' })));
  byId('snippet-panel').dataset.shared = ''; // one panel, whichever tab is chosen
  tabs(byId('languages'), (tab) => {
    language = languages.find(({ id }) => tab.id === `language-${id}`);
    show();
  });
  byId('copy-code').addEventListener('click', () => copy(byId('snippet').textContent, `the ${language.name} code`));

  return (chosen) => {
    bindings = chosen;
    show();
  };
}
