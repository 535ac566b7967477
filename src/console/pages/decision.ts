/** One decision: what was ruled over it, the whole exchange once somebody asks for it, its sealed entries and their proof. */

import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { type Decision, readDecisionDetail } from '../answers/decision-data.ts';
import { type Exchange, readExchange } from '../answers/exchange-data.ts';
import { may, mayErase } from '../answers/hold-data.ts';
import type { Desk } from '../desk/desk.ts';
import { PageFrame, Problem, useFetched } from '../desk/fetched.ts';
import { placeOf, privacyAddress, searchAddress, sessionAddress } from '../desk/place.ts';
import { Conversation } from '../drawn/conversation.ts';
import { AnswerContent, AnswerInstead } from '../drawn/held-content.ts';
import { OutcomeMark, VerdictMark } from '../drawn/outcome.ts';
import { Recorded } from '../drawn/recorded.ts';
import { countText } from '../words/counts.ts';
import { exactText } from '../words/time.ts';
import { Story } from './decision-story.ts';
import { EntryProofs } from './entry-proofs.ts';
import { ReportedNote } from './reported.ts';

export function DecisionPage(props: { readonly desk: Desk; readonly id: string }): ComponentChild {
  const { desk, id } = props;
  const fetched = useFetched(desk, `/api/v1/decisions/${encodeURIComponent(id)}`, readDecisionDetail);
  const detail = fetched.value;
  return h(
    PageFrame,
    { title: 'Decision', label: id, lead: h('a', { href: '#/decisions' }, '‹ All decisions') },
    [
      h(Problem, { of: fetched }),
      detail === null
        ? null
        : h('div', { class: 'sections' }, [
            detail.decision.reported === null
              ? null
              : h(ReportedNote, { reported: detail.decision.reported }),
            h(Facts, { decision: detail.decision }),
            h(Content, { desk, id }),
            h(Story, { detail }),
            h(EntryProofs, { desk, entries: detail.entries }),
          ]),
    ],
  );
}

function Facts({ decision }: { readonly decision: Decision }): ComponentChild {
  const { workload, model, session, rules, tokens, status } = decision;
  const pair = (name: string, value: ComponentChild | string): ComponentChild =>
    h('div', { class: 'fact', key: name }, [h('dt', null, name), h('dd', null, value)]);
  return h('dl', { class: 'facts' }, [
    pair('asked', h('span', { class: 'num' }, exactText(decision.atMs))),
    pair('outcome', h(OutcomeMark, { outcome: decision.outcome })),
    pair('rules said', h(VerdictMark, { verdict: decision.verdict })),
    rules.length === 0
      ? null
      : pair(
          'rules',
          rules.map((rule) =>
            h('a', { key: rule, class: 'term', href: searchAddress({ rule }) }, h(Recorded, { text: rule })),
          ),
        ),
    workload === ''
      ? pair('workload', 'unnamed')
      : pair('workload', h('a', { href: searchAddress({ workload }) }, h(Recorded, { text: workload }))),
    model === ''
      ? null
      : pair('model', h('a', { href: searchAddress({ model }) }, h(Recorded, { text: model }))),
    session === ''
      ? null
      : pair('session', h('a', { href: sessionAddress(session) }, h(Recorded, { text: session }))),
    pair('call', `${decision.provider} ${decision.operation}${decision.stream ? ', streaming' : ''}`),
    status === null ? null : pair('status', h('span', { class: 'num' }, String(status))),
    tokens === null
      ? null
      : pair(
          'tokens',
          h('span', { class: 'num' }, `${countText(tokens.input)} in, ${countText(tokens.output)} out`),
        ),
    pair('decision', h('code', null, decision.id)),
    decision.holds.map((hold) => pair('hold', h('a', { href: placeOf(hold) }, hold))),
    decision.ruledBy.length === 0
      ? null
      : pair(
          'ruled by',
          decision.ruledBy.map((ruledBy, i) => [
            i === 0 ? null : ', ',
            h('a', { key: ruledBy, href: searchAddress({ ruledBy }) }, h(Recorded, { text: ruledBy })),
          ]),
        ),
  ]);
}

/** Reading content is sealed, so nothing is read before somebody asks. */
function Content(props: { readonly desk: Desk; readonly id: string }): ComponentChild {
  const [asked, setAsked] = useState(false);
  const path = `/api/v1/decisions/${encodeURIComponent(props.id)}/exchange`;
  const fetched = useFetched(props.desk, asked ? path : null, readExchange);
  return h('section', { class: 'section', 'aria-labelledby': 'content-title' }, [
    h('h2', { id: 'content-title' }, 'What was said'),
    h(Problem, { of: fetched }),
    fetched.value !== null
      ? h(WholeExchange, { exchange: fetched.value })
      : !may(props.desk.get().identity, 'read_content')
        ? h('p', { class: 'quiet' }, 'Your role sees that something was recorded, not what.')
        : h('p', { class: 'ask' }, [
            h(
              'button',
              { type: 'button', class: 'button', disabled: fetched.busy, onClick: () => setAsked(true) },
              'Read the exchange',
            ),
            h('span', { class: 'quiet' }, ' That you read it is sealed under your name.'),
          ]),
    !mayErase(props.desk.get().identity)
      ? null
      : h(
          'p',
          { class: 'actions' },
          h(
            'a',
            { class: 'button', href: privacyAddress(props.id) },
            'Erase it, or put it under a legal hold',
          ),
        ),
  ]);
}

function WholeExchange({ exchange }: { readonly exchange: Exchange }): ComponentChild {
  const { response, amendedResponse } = exchange;
  return h('div', { class: 'sections' }, [
    response === null ? null : h(AnswerContent, { response }),
    response === null || amendedResponse === null
      ? null
      : h(AnswerInstead, { held: response, instead: amendedResponse }),
    h(Conversation, { exchange }),
  ]);
}
