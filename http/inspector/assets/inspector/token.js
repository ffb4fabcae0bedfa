// The token that a guarded server asks for. It stays in the field: it is kept
// nowhere else, neither in the address, nor in the code, nor from visit to visit.
import { byId } from '../shared/dom.js';

/** The token to send; '' for none. */
export const token = () => byId('token').value.trim();

/** Shows where a token goes. */
export function askForToken() {
  byId('token-fold').open = true;
}
