/**
 * Where the reviewer is, as the address says: `#/` the inbox, `#/holds/<id>` one hold, `#/decisions?model=…` a
 * search. A token never stands in it.
 */
import { type Identity, may } from '../answers/hold-data.ts';

const pages = ['inbox', 'decisions', 'ledger', 'policy', 'overview', 'privacy'] as const;
export type Page = (typeof pages)[number];

/** A page that has nothing for somebody is not offered to them. */
export function pagesFor(identity: Identity | null): readonly Page[] {
  return pages.filter((page) => page !== 'privacy' || may(identity, 'read_erasures'));
}

export type Place =
  | { readonly page: 'inbox' }
  | { readonly page: 'decisions'; readonly query: string; readonly id: string | null }
  | { readonly page: 'session'; readonly id: string }
  | { readonly page: 'ledger'; readonly seq: number | null }
  | { readonly page: 'policy' }
  | { readonly page: 'privacy'; readonly decision: string }
  | { readonly page: 'reviews' }
  | { readonly page: 'absence' }
  | { readonly page: 'overview'; readonly hours: number };

export const inbox: Place = { page: 'inbox' };
/** The windows that the overview offers, in hours. */
export const windowHours = [1, 24, 168, 720] as const;

/** The address of a hold's page. */
export function placeOf(id: string): string {
  return `#/holds/${encodeURIComponent(id)}`;
}

export function pageAddress(page: Page): string {
  return page === 'inbox' ? '#/' : `#/${page}`;
}

export function decisionAddress(id: string): string {
  return `#/decisions/${encodeURIComponent(id)}`;
}

export function sessionAddress(id: string): string {
  return `#/sessions/${encodeURIComponent(id)}`;
}

/** The search for what has this value. */
export function searchAddress(terms: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(Object.entries(terms).filter(([, value]) => value !== '')).toString();
  return query === '' ? '#/decisions' : `#/decisions?${query}`;
}

/** The privacy page, its forms begun with a decision. A person's name never stands in an address. */
export function privacyAddress(decision: string): string {
  return `#/privacy?${new URLSearchParams({ decision })}`;
}

export const reviewsAddress = '#/reviews';
export const absenceAddress = '#/absence';

export function entryAddress(seq: number): string {
  return `#/ledger/${seq}`;
}

/** The hold an address names; null for the inbox and for anything that is no id. */
export function holdAt(hash: string): string | null {
  return /^#\/holds\/([A-Za-z0-9_-]{1,64})$/.exec(hash)?.[1] ?? null;
}

/** The page an address names; the inbox for anything that is none. */
export function placeAt(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [page = '', rest = '', ...more] = path.split('/');
  if (more.length > 0) return inbox;
  switch (page) {
    case 'decisions':
      return { page, query, id: /^[A-Za-z0-9_-]{1,64}$/.exec(rest)?.[0] ?? null };
    case 'sessions': {
      const id = decoded(rest);
      return id === '' ? inbox : { page: 'session', id };
    }
    case 'ledger':
      return { page, seq: /^\d{1,15}$/.test(rest) ? Number(rest) : null };
    case 'privacy':
      return { page, decision: new URLSearchParams(query).get('decision') ?? '' };
    case 'policy':
    case 'reviews':
    case 'absence':
      return { page };
    case 'overview': {
      const hours = Number(new URLSearchParams(query).get('hours'));
      return { page, hours: windowHours.find((known) => known === hours) ?? 24 };
    }
    default:
      return inbox;
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    if (error instanceof URIError) return '';
    throw error;
  }
}

export function goTo(id: string | null): void {
  location.hash = id === null ? '#/' : placeOf(id);
}
