/**
 * Numbers of a JSON text that a double does not keep: whoever parses the text and writes it again has another number, and
 * says so to nobody. Pure.
 */
import { stringEnd } from './json.ts';

/** So many characters without an exponent are always kept: a double has 15 digits. */
const keptCharactersMax = 15;
/** Longer spellings are of no number that anybody wrote, and are not taken apart. */
const spellingCharactersMax = 400;
const quote = 0x22;

/** The first number of a valid JSON text that would be written back as another one; '' where there is none. */
export function firstInexactNumber(text: string): string {
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === quote) at = stringEnd(text, at + 1);
    else if (code === 0x2d || isDigit(code)) {
      const end = numberEnd(text, at + 1);
      if (!isKept(text, at, end)) return text.slice(at, end);
      at = end;
    } else at += 1;
  }
  return '';
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** The position after the number that goes on at `from`. */
function numberEnd(text: string, from: number): number {
  for (let at = from; ; at += 1) {
    const code = text.charCodeAt(at);
    // Beside digits . + - e E; the text's end is none of them.
    if (!isDigit(code) && code !== 0x2e && code !== 0x2b && code !== 0x2d && (code | 0x20) !== 0x65)
      return at;
  }
}

function isKept(text: string, from: number, end: number): boolean {
  const source = text.slice(from, end);
  if (source.length <= keptCharactersMax && !/e/i.test(source)) return true;
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
