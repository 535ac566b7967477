/**
 * Numbers of a JSON text that a double does not keep: whoever parses the text and writes it again has another number, and
 * says so to nobody. Pure.
 */
import { stringEnd } from './json.ts';

/** Longer spellings are of no number that anybody wrote, and are not taken apart. */
const spellingCharactersMax = 400;
const quote = 0x22;
/** A number in JSON, where one may begin. */
const numberHere = /-?\d[\d.eE+-]*/y;

/** The first number of a valid JSON text that would be written back as another one; '' where there is none. */
export function firstInexactNumber(text: string): string {
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === quote) at = stringEnd(text, at + 1);
    else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      numberHere.lastIndex = at;
      const source = numberHere.exec(text)?.[0] ?? text.slice(at);
      if (!isKept(source)) return source;
      at += source.length;
    } else at += 1;
  }
  return '';
}

function isKept(source: string): boolean {
  const written = String(Number(source));
  if (written === source) return true;
  return source.length <= spellingCharactersMax && decimalOf(source) === decimalOf(written);
}

/** One text for all spellings of a value, such as 1.0 and 1e0; zero has no sign. */
function decimalOf(source: string): string {
  const [, sign = '', whole = '', part = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source) ?? [];
  const digits = `${whole}${part}`.replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  return kept === '' ? '0' : `${sign}${kept}e${Number(power) - part.length + digits.length - kept.length}`;
}
