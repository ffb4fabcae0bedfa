// Copying, with a word to the user that it happened.
import { byId } from './dom.js';

let hide = 0;

/** Says something in passing, to eyes and screen readers. */
export function say(text) {
  const toast = byId('toast');
  toast.textContent = text;
  toast.classList.add('shown');
  clearTimeout(hide);
  hide = setTimeout(() => toast.classList.remove('shown'), 2500);
}

/** Copies a text and shows what was copied. */
export async function copy(text, what) {
  const done = (await modern(text)) || older(text);
  say(done ? `Copied ${what}` : 'The browser does not allow copying');
  return done;
}

async function modern(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

// Over plain http the modern interface is missing.
function older(text) {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'sr';
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  const focused = document.activeElement;
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  focused?.focus({ preventScroll: true });
  return done;
}
