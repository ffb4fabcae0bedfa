// Bytes as a hex dump, for payloads that are no text.

const most = 4096; // bytes shown

/** "00000000  89 50 4e 47 …  |.PNG…|", sixteen bytes a line. */
export function dump(bytes) {
  const lines = [];
  for (let at = 0; at < Math.min(bytes.length, most); at += 16) {
    const part = [...bytes.slice(at, Math.min(at + 16, most))];
    const hex = part.map((b) => b.toString(16).padStart(2, '0')).join(' ').padEnd(47);
    const letters = part.map((b) => (b > 31 && b < 127 ? String.fromCharCode(b) : '.')).join('');
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex}  |${letters}|`);
  }
  if (bytes.length > most) lines.push(`… ${bytes.length - most} bytes more`);
  return lines.join('\n');
}
