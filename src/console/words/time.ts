/** Instants and spans in the words of the queue. Pure. */

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** How long ago: `now`, `40s`, `2m`, `3h`, `5d`. */
export function ageText(ms: number): string {
  if (ms < 5 * secondMs) return 'now';
  if (ms < minuteMs) return `${Math.floor(ms / secondMs)}s`;
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)}m`;
  if (ms < dayMs) return `${Math.floor(ms / hourMs)}h`;
  return `${Math.floor(ms / dayMs)}d`;
}

/** What is left: `0:09`, `12:41`, `3:05:00`, `2d 4h`. Never says 0:00 while something is left. */
export function leftText(ms: number): string {
  if (ms <= 0) return '0:00';
  if (ms >= 2 * dayMs) return `${Math.floor(ms / dayMs)}d ${Math.floor((ms % dayMs) / hourMs)}h`;
  const seconds = Math.ceil(ms / secondMs);
  const minutes = Math.floor(seconds / 60);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** `calm`, `soon` in the last fifth or five minutes, `now` in the last minute, `over`. */
export function urgencyOf(leftMs: number, wholeMs: number): 'calm' | 'soon' | 'now' | 'over' {
  if (leftMs <= 0) return 'over';
  if (leftMs <= minuteMs) return 'now';
  return leftMs <= Math.min(5 * minuteMs, wholeMs / 5) ? 'soon' : 'calm';
}

/** The exact instant: `2026-11-22 13:05:09 UTC`. */
export function exactText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A difference of clocks below this is the price of a header in whole seconds. */
const skewMsMin = 1_500;

/** How far this machine's clock is behind the sidecar's, from an answer's `Date`; 0 where that is noise. */
export function clockSkewMs(dateHeader: string | null, sentMs: number, receivedMs: number): number {
  const date = Date.parse(dateHeader ?? '');
  if (Number.isNaN(date)) return 0;
  const skew = date + 500 - (sentMs + receivedMs) / 2;
  return Math.abs(skew) < skewMsMin + (receivedMs - sentMs) / 2 ? 0 : skew;
}

/** A span to read at a glance: `0 ms`, `840 ms`, `2.4 s`, `12 s`, `5 min`, `3.5 h`. */
export function spanText(ms: number): string {
  if (ms < secondMs) return `${Math.round(ms)} ms`;
  if (ms < minuteMs) return `${short(ms / secondMs)} s`;
  if (ms < hourMs) return `${short(ms / minuteMs)} min`;
  return ms < dayMs ? `${short(ms / hourMs)} h` : `${short(ms / dayMs)} d`;
}

/** One digit after the point below ten, none where it is zero. */
function short(value: number): string {
  return String(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
}
