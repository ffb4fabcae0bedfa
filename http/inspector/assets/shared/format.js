// Numbers, sizes and times as people read them.

const whole = new Intl.NumberFormat('en');
const tenth = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** 12345 → "12,345" */
export const count = (n) => whole.format(n);

/** 1, 'message' → "1 message"; 2 → "2 messages" */
export const counted = (n, noun) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;

/** 1536 → "1.5 KiB" */
export function bytes(n) {
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) {
    n /= 1024;
    unit++;
  }
  return `${tenth.format(n)} ${units[unit]}`;
}

/** Messages a second: 0.25 → "0.3 /s", 512.3 → "512 /s" */
export const rate = (perSecond) => `${perSecond < 10 ? tenth.format(perSecond) : whole.format(Math.round(perSecond))} /s`;

const pad = (n, width) => String(n).padStart(width, '0');

/** The clock at a moment, to the millisecond: "09:41:07.042". */
export function clock(date) {
  return `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}.${pad(date.getMilliseconds(), 3)}`;
}

/** Seconds as a stop watch shows them: 65 → "1:05", 3661 → "1:01:01". */
export function stopwatch(seconds) {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = pad(Math.floor(seconds) % 60, 2);
  return hours > 0 ? `${hours}:${pad(minutes, 2)}:${rest}` : `${minutes}:${rest}`;
}
