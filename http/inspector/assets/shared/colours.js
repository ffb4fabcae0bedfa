// The colours button: as the system has it, light, dark, and round again.
import { recall, remember } from './memory.js';

const choices = ['auto', 'light', 'dark'];

/** Makes a button go through the choices; label shows the present one. */
export function coloursButton(button, label) {
  let choice = choices.includes(recall('theme')) ? recall('theme') : 'auto';
  const show = () => {
    label.textContent = choice[0].toUpperCase() + choice.slice(1);
    if (choice === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
  };
  button.addEventListener('click', () => {
    choice = choices[(choices.indexOf(choice) + 1) % choices.length];
    remember('theme', choice);
    show();
  });
  show();
}
