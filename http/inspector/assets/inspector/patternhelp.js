// The help on patterns: a form with a field for each word of a well-known
// key, and a key to try a pattern on.
import { byId, make, setText } from '../shared/dom.js';
import { lookUp } from './exchanges.js';
import { align, words } from './topic.js';

const example = 'primary.fN1SbArXTPSVFNUvaOlinQ.0.us-east-1.i-0a1b2c.proj-misc.ci.taskcluster-github.eLk2RzSdTHmN3hO4pQ5rSg._';

/** Wires the help to the pattern's field; show(exchange, pattern) follows the form. */
export function patternHelp(patternField) {
  const latest = new Map(); // exchange → the key last seen on it
  let exchange = null;
  let pattern = '#';
  let typed = false; // the key to try is the user's own

  const tryKey = byId('try-key');
  const judge = () => {
    const covered = align(pattern, tryKey.value.trim());
    const verdict = byId('verdict');
    setText(verdict, covered ? '✓ It would match.' : '✗ It would not match.');
    verdict.classList.toggle('yes', covered !== null);
    byId('alignment').replaceChildren(...(covered ? pieces(pattern, covered) : []));
  };
  tryKey.addEventListener('input', () => {
    typed = true;
    judge();
  });

  const build = (parts) => {
    const fields = parts.map((part, i) => field(part, i, () => {
      patternField.value = built(parts, fields.map(({ input }) => input.value.trim()));
      patternField.dispatchEvent(new Event('change'));
    }));
    byId('builder-fields').replaceChildren(...fields.map(({ label }) => label));
  };

  return {
    show(name, chosenPattern) {
      pattern = chosenPattern;
      if (name !== exchange) {
        exchange = name;
        const parts = lookUp(name)?.key.filter(({ name: word }) => word !== 'reserved') ?? [];
        byId('builder').hidden = parts.length < 2;
        if (parts.length >= 2) build(parts);
        if (!typed) tryKey.value = latest.get(name) ?? example;
      }
      judge();
    },
    /** Takes note of a key that came, as something to try. */
    sample(name, key) {
      latest.set(name, key);
    },
  };
}

function field(part, i, changed) {
  const fixed = part.name === 'primary';
  const input = make('input', { type: 'text', spellcheck: 'false', placeholder: fixed ? null : 'any', input: changed,
    value: fixed ? 'primary' : null, readonly: fixed });
  return { input, label: make('label', {}, make('span', { text: part.name }), input) };
}

// What is filled in must be equal; what is left open at the end is one `#`.
function built(parts, values) {
  let last = values.findLastIndex((value, i) => value !== '' && parts[i].name !== 'primary');
  if (last < 0) last = 0;
  const pattern = values.slice(0, last + 1).map((value) => value || '*');
  return [...pattern, '#'].join('.');
}

function pieces(pattern, covered) {
  return words(pattern).map((word, i) => make('span', { class: 'piece' },
    make('code', { text: word }),
    make('span', { class: 'covered', text: covered[i].length ? covered[i].join('.') : 'nothing' })));
}
