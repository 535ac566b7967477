/** Content that goes and content that must stay: for whoever erases, and to read for whoever audits that. */
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { type Identity, mayErase } from '../answers/hold-data.ts';
import type { Desk } from '../desk/desk.ts';
import { PageFrame } from '../desk/fetched.ts';
import { EraseSection } from './erase-form.ts';
import { Erasures } from './erasures.ts';
import { LegalHolds } from './legal-holds.ts';
import { RetentionSection } from './retention.ts';

interface PrivacyProps {
  readonly desk: Desk;
  readonly identity: Identity | null;
  /** The id of the decision that the forms begin with; '' for none. */
  readonly decision: string;
}

export function PrivacyPage({ desk, identity, decision }: PrivacyProps): ComponentChild {
  const [version, setVersion] = useState(0);
  const onChange = (): void => setVersion((count) => count + 1);
  const erases = mayErase(identity);
  return h(
    PageFrame,
    { title: 'Privacy', label: 'privacy', lead: 'Content that goes, and content that must stay.' },
    h('div', { class: 'sections' }, [
      erases ? h(EraseSection, { key: 'erase', desk, decision, onChange }) : null,
      h(LegalHolds, { key: 'holds', desk, erases, decision }),
      h(RetentionSection, { key: 'retention', desk, erases, version, onChange }),
      h(Erasures, { key: 'erasures', desk, erases, version, onChange }),
    ]),
  );
}
