/** Account numbers (ISO 13616): a country, its length, and the check digits of ISO 7064 mod 97-10. Linear. Pure. */
import { dashes, type Span, spaces } from './suspicion.ts';

/** Characters of an IBAN by country: SWIFT's registry, territories that share a country's form, and partial adopters. */
const lengths = new Map(
  `AD24 AE23 AL28 AO25 AT20 AX18 AZ28 BA20 BE16 BF28 BG22 BH22 BI27 BJ28 BL27 BR29 BY28 CF27 CG27 CH21 CI28 CM27 CR22
  CV25 CY28 CZ24 DE22 DJ27 DK18 DO28 DZ26 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GA27 GB22 GE22 GF27 GI23 GL18 GP27 GQ27
  GR27 GT28 GW25 HN28 HR21 HU28 IE22 IL23 IQ23 IR26 IS26 IT27 JO30 KM27 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25
  MA28 MC27 MD24 ME22 MF27 MG27 MK19 ML28 MN20 MQ27 MR27 MT31 MU30 MZ25 NC27 NE28 NI28 NL18 NO15 OM23 PF27 PK24 PL28
  PM27 PS29 PT25 QA29 RE27 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SN28 SO23 ST25 SV28 TD27 TF27 TG28 TL23
  TN24 TR26 UA29 VA22 VG24 WF27 XK20 YE30 YT27`
    .split(/\s+/)
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))] as const),
);

const beginning = /(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}/g;
/** As people group them; one between two groups. */
const separators = `${spaces}\t.${dashes}`;

/** Places of valid account numbers, grouped or not, in any case. */
export function* ibansIn(text: string): Generator<Span> {
  for (const { index: start, 0: head } of text.matchAll(beginning)) {
    const length = lengths.get(head.slice(0, 2).toUpperCase());
    if (length === undefined) continue;
    const read = take(text, start, length);
    if (read !== null && isValid(read.compact)) yield { start, end: read.end };
  }
}

/** So many letters and digits from `start`, single separators left out; null where there are fewer, or more at once. */
function take(text: string, start: number, length: number): { compact: string; end: number } | null {
  let compact = '';
  let at = start;
  for (let wasSeparator = false; compact.length < length; at++) {
    const isPart = isAlphanumeric(text, at);
    if (isPart) compact += text.charAt(at);
    else if (wasSeparator || at >= text.length || !separators.includes(text.charAt(at))) return null;
    wasSeparator = !isPart;
  }
  return isAlphanumeric(text, at) ? null : { compact: compact.toUpperCase(), end: at };
}

function isAlphanumeric(text: string, at: number): boolean {
  const c = text.charCodeAt(at);
  return (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a);
}

/** One in 97 texts passes the check by chance; words with spaces do not have the digits of an account. */
function isValid(compact: string): boolean {
  const account = compact.slice(4);
  const turned = account + compact.slice(0, 4);
  let digits = 0;
  let remainder = 0;
  for (let i = 0; i < turned.length; i++) {
    const c = turned.charCodeAt(i);
    const isDigit = c <= 0x39;
    if (isDigit && i < account.length) digits += 1;
    // A letter stands for two digits, A for 10.
    remainder = (isDigit ? remainder * 10 + c - 0x30 : remainder * 100 + c - 0x41 + 10) % 97;
  }
  return remainder === 1 && 2 * digits >= account.length;
}
