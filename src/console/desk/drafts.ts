/** What a reviewer wrote about holds and has not sent: kept in this tab while they look elsewhere, never beyond the session. */

export interface Draft {
  readonly reason: string;
  /** What is written instead of what is held, by the key of each thing to edit. */
  readonly edits: Readonly<Record<string, string>>;
  /** The digest of what is edited; '' where nothing is. */
  readonly editsOf: string;
  readonly comment: string;
}

export interface Drafts {
  of(id: string): Draft;
  keep(id: string, change: Partial<Draft>): void;
  /** Forgets all of them. */
  clear(): void;
}

const draftsMax = 100;
const nothing: Draft = { reason: '', edits: {}, editsOf: '', comment: '' };

export function createDrafts(): Drafts {
  /** The one that was written on last at the end. */
  const drafts = new Map<string, Draft>();
  const of = (id: string): Draft => drafts.get(id) ?? nothing;
  return {
    of,
    keep: (id, change) => {
      const draft = { ...of(id), ...change };
      drafts.delete(id);
      if (draft.reason !== '' || draft.comment !== '' || Object.keys(draft.edits).length > 0)
        drafts.set(id, draft);
      const [oldest] = drafts.keys();
      if (drafts.size > draftsMax && oldest !== undefined) drafts.delete(oldest);
    },
    clear: () => drafts.clear(),
  };
}
