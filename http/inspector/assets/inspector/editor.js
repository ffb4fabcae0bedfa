// The form that adds a binding.
import { combobox } from './combobox.js';
import { byId, setText } from '../shared/dom.js';
import { lookUp } from './exchanges.js';
import { patternHelp } from './patternhelp.js';
import { suggest } from './suggestions.js';
import { caution, explain } from './topic.js';

const about = 'Where messages are published. Choose one of Taskcluster’s, or type any other.';

/** Wires the form; add(binding) adds a binding and returns what was wrong, or ''. */
export function bindingForm(add) {
  const exchange = byId('exchange');
  const pattern = byId('pattern');
  const help = patternHelp(pattern);

  const changed = () => {
    const name = exchange.value.trim();
    const entry = lookUp(name);
    setText(byId('exchange-about'), entry ? `Here: ${entry.about}.` : about);
    setText(byId('pattern-about'), explain(pattern.value.trim() || '#'));
    setText(byId('pattern-caution'), caution(pattern.value.trim()));
    help.show(name, pattern.value.trim() || '#');
    complain('');
  };
  const complain = (text) => {
    setText(byId('binding-wrong'), text);
    byId('binding-wrong').hidden = text === '';
    if (text) exchange.setAttribute('aria-invalid', 'true');
    else exchange.removeAttribute('aria-invalid');
  };

  // The end of a name is what tells it from others: it is what a field without the focus shows.
  const showEnd = () => requestAnimationFrame(() => (exchange.scrollLeft = exchange.scrollWidth));

  combobox(exchange, byId('exchange-list'), byId('exchange-open'), suggest, () => {
    changed();
    showEnd();
  });
  exchange.addEventListener('input', changed);
  pattern.addEventListener('input', changed);
  pattern.addEventListener('change', changed);
  exchange.addEventListener('blur', showEnd);
  byId('binding-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const wrong = add({ exchange: exchange.value.trim(), routingKeyPattern: pattern.value.trim() || '#' });
    if (!wrong) {
      exchange.value = '';
      pattern.value = '#';
      changed();
    }
    complain(wrong);
    exchange.focus();
  });
  changed();
  return { sample: help.sample };
}
