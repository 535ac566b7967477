/** What a reviewer sees on a terminal of what is held and of what led to it. */
import { describe, expect, it } from 'vitest';
import { conversationIn, heldIn, offeredIn, remarksIn } from '../../../src/cli/held-content.ts';
import type { Detail } from '../../../src/cli/hold-answers.ts';

type Exchange = NonNullable<Detail['exchange']>;

const raw = { startLine: '', headers: [], body: '' };
const request: Exchange['request'] = {
  ...{ method: 'POST', path: '/v1/batches', params: {}, system: '', messages: [], tools: [], raw },
};
const response: NonNullable<Exchange['response']> = { text: '', refusal: '', toolCalls: [], raw };
const call = { id: 'c-1', name: 'pay', arguments: { to: 'x' }, argumentsText: '{"to":"x"}' };
const user = { role: 'user', text: 'Pay x.', toolCalls: [] };

function hold(change: Partial<Exchange>): Detail {
  const exchange: Exchange = {
    ...{ request, amendedRequest: null, response: null, amendedResponse: null, defects: [], ...change },
  };
  return { ...terms, exchange };
}

describe('a held request', () => {
  const goes = 'If you release, this request goes to the provider: POST /v1/batches';

  it('with messages is told by where it goes; they are in the conversation', () => {
    expect(heldIn(hold({ request: { ...request, messages: [user] } }))).toEqual([{ title: goes, text: '' }]);
    expect(heldIn(hold({ request: { ...request, system: 'Be kind.' } }))).toEqual([
      { title: goes, text: '' },
    ]);
  });

  it('without any shows its body', () => {
    const body = '{"input_file_id":"file-1"}';
    expect(heldIn(hold({ request: { ...request, raw: { ...raw, body } } }))).toEqual([
      { title: goes, text: body },
    ]);
  });

  it('with a long body shows its beginning, and says how much more there is and where', () => {
    const told = (length: number): string | undefined =>
      heldIn(hold({ request: { ...request, raw: { ...raw, body: 'x'.repeat(length) } } }))[0]?.text;
    expect(told(4_000)).toBe('x'.repeat(4_000));
    expect(told(5_001)).toBe(
      `${'x'.repeat(4_000)}\nand 1,001 characters more: holdpoint holds show h-1 --json`,
    );
  });

  it('that a reviewer amended is shown as amended', () => {
    const amendedRequest = { ...request, path: '/v1/files', raw: { ...raw, body: 'less' } };
    expect(heldIn(hold({ amendedRequest }))).toEqual([
      { title: 'If you release, this request goes to the provider: POST /v1/files', text: 'less' },
    ]);
  });
});

describe('of a hold that is over', () => {
  const over = (state: string, change: Partial<Exchange>): Detail => ({ ...hold(change), state });

  it('the request that was held is told, and the one that a reviewer put in its place', () => {
    const raws = { sent: { ...request, raw: { ...raw, body: 'all' } }, less: { ...raw, body: 'less' } };
    const amendedRequest = { ...request, path: '/v1/files', raw: raws.less };
    expect(heldIn(over('denied', { request: raws.sent }))).toEqual([
      { title: 'What was held, a request to the provider: POST /v1/batches', text: 'all' },
    ]);
    expect(heldIn(over('amended', { request: raws.sent, amendedRequest }))).toEqual([
      { title: 'What was held, a request to the provider: POST /v1/batches', text: 'all' },
      { title: 'A reviewer put this request in its place: POST /v1/files', text: 'less' },
    ]);
  });

  it('both conversations are told where a request was amended', () => {
    const said = (text: string) => ({ ...request, messages: [{ ...user, text }] });
    const amended = { request: said('Pay x.'), amendedRequest: said('Ask x.') };
    expect(conversationIn(over('amended', amended))).toEqual([
      { who: 'user', text: 'Pay x.' },
      { who: 'user, as a reviewer amended it', text: 'Ask x.' },
    ]);
    expect(conversationIn(over('denied', { ...amended, response }))).toEqual([
      { who: 'user, as a reviewer amended it', text: 'Ask x.' },
    ]);
  });

  it('the answer that a reviewer put in its place is told, whatever it is made of', () => {
    const held = { ...response, text: 'Yes.' };
    const instead = (amendedResponse: typeof response) =>
      heldIn(over('amended', { response: held, amendedResponse }))[1];
    expect(instead({ ...response, text: 'No.', refusal: 'Never.', toolCalls: [call] })).toEqual({
      title: 'A reviewer put this in its place',
      text: 'No.\nNever.\ncalls pay\n{\n  "to": "x"\n}',
    });
    expect(instead({ ...response, raw: { startLine: 'HTTP/1.1 200', headers: [], body: 'x' } })?.text).toBe(
      'HTTP/1.1 200\n\nx',
    );
  });

  it('that a call was withheld is said beside the call, not as another answer', () => {
    const withheld = { by: 'ada', role: 'reviewer', verdict: 'release', at: '', withheld: [0] };
    const ruled = { ...withheld, breakGlass: false, inStead: '', reason: '' };
    const made = {
      response: { ...response, toolCalls: [call] },
      amendedResponse: { ...response, text: 'x' },
    };
    expect(heldIn({ ...over('amended', made), rulings: [ruled] })).toEqual([]);
  });

  it('an answer of which nothing was read is told as it was sent', () => {
    expect(heldIn(over('expired', { response }))[0]?.title).toBe('What was held, an answer');
  });
});

it('says first that it may go twice, to whoever sees no content, too', () => {
  const twice = /^Possible duplicate: .* may do it twice\.$/;
  const twin = { ...hold({ response: { ...response, text: 'Yes.' } }), possibleDuplicate: true };
  expect(heldIn(twin)[0]?.title).toMatch(twice);
  expect(heldIn(twin).slice(1)).toEqual([{ title: 'Answer', text: 'Yes.' }]);
  expect(heldIn({ ...twin, exchange: null })[0]?.title).toMatch(twice);
});

describe('a held answer', () => {
  it('has its text and its refusal', () => {
    expect(heldIn(hold({ response: { ...response, text: 'Yes.', refusal: 'No.' } }))).toEqual([
      { title: 'Answer', text: 'Yes.' },
      { title: 'The model refused', text: 'No.' },
    ]);
  });

  it('of tool calls alone has nothing beside them', () => {
    expect(heldIn(hold({ response: { ...response, toolCalls: [call] } }))).toEqual([]);
  });

  it('of which nothing was read shows what was sent', () => {
    const sent = { startLine: 'HTTP/1.1 307', headers: ['location', 'https://else.example'], body: 'moved' };
    expect(heldIn(hold({ response: { ...response, raw: sent } }))).toEqual([
      {
        title: 'If you release, this answer reaches the workload',
        text: 'HTTP/1.1 307\nlocation: https://else.example\n\nmoved',
      },
    ]);
  });
});

it('what could not be read is said, of a request and of an answer', () => {
  const defects = ['one', 'two'];
  const said = { title: 'Not everything could be read', text: 'one\ntwo' };
  expect(heldIn(hold({ defects })).at(-1)).toEqual(said);
  expect(heldIn(hold({ defects, response: { ...response, text: 'Yes.' } })).at(-1)).toEqual(said);
  expect(heldIn(hold({ defects, response })).at(-1)).toEqual(said);
});

it('the conversation has the system prompt and the calls that were made in it', () => {
  const messages = [user, { role: 'assistant', text: '', toolCalls: [call] }];
  expect(conversationIn(hold({ request: { ...request, system: 'Be kind.', messages } }))).toEqual([
    { who: 'the system prompt', text: 'Be kind.' },
    { who: 'user', text: 'Pay x.' },
    { who: 'assistant', text: 'calls pay\n{\n  "to": "x"\n}' },
  ]);
});

it('a system prompt that messages have is told once', () => {
  const said = ['Be kind.', 'Be $& brief.'];
  const messages = [...said.map((text) => ({ ...user, role: 'system', text })), user];
  const told = (system: string): string[] =>
    conversationIn(hold({ request: { ...request, system, messages } })).map(({ who }) => who);
  expect(told(said.join('\n'))).toEqual(['system', 'system', 'user']);
  expect(told([...said, 'Be careful.'].join('\n'))).toEqual([
    'the system prompt',
    'system',
    'system',
    'user',
  ]);
});

it('a message of neither text nor calls says so', () => {
  const messages = [{ role: 'user', text: '', toolCalls: [] }];
  expect(conversationIn(hold({ request: { ...request, messages } }))).toEqual([
    { who: 'user', text: '(no text)' },
  ]);
});

it('the tools and the parameters that the model is given are told by name, on a line of their own each', () => {
  const tools = ['wipe', 'pay\nuser'].map((name) => ({ name, description: '' }));
  expect(offeredIn(hold({ request: { ...request, tools, params: { temperature: 2, mode: 'x' } } }))).toEqual([
    { title: 'Tools offered', text: 'wipe\npay<U+000A>user' },
    { title: 'Parameters', text: 'temperature 2\nmode "x"' },
  ]);
  expect(offeredIn(hold({}))).toEqual([]);
});

it('what was said of it and what was found has names and times; what was erased says so', () => {
  const at = '2026-11-26T10:01:00.000Z';
  const told = { by: 'ada', at, text: 'Fine.' };
  const gone = { by: 'bob', at, text: null };
  const verdict = 'justified';
  expect(remarksIn({ ...hold({}), comments: [told, gone], review: { ...gone, verdict } })).toEqual([
    { title: `ada said at ${at}`, text: 'Fine.' },
    { title: `bob said at ${at}`, text: '(erased)' },
    { title: `bob found the release by one person alone justified at ${at}`, text: '(erased)' },
  ]);
  expect(remarksIn({ ...hold({}), review: { ...told, verdict } })[0]?.text).toBe('Fine.');
});

it('who may not read content sees none', () => {
  const unseen = { ...terms, exchange: null };
  expect([heldIn(unseen), conversationIn(unseen), offeredIn(unseen)]).toEqual([[], [], []]);
});

const terms: Omit<Detail, 'exchange'> = {
  ...{ id: 'h-1', decisionId: 'd-1', state: 'pending', severity: 'high', headline: '', workload: '' },
  ...{ model: '', digest: '', contentDigest: '', assignee: '', commentCount: 0, openedAt: '', expiresAt: '' },
  ...{ caller: 'waiting', approvals: { needed: 1, given: [], byRole: [] }, roles: ['reviewer'], rulings: [] },
  ...{
    comments: [],
    unreadable: [],
    review: null,
    rules: [],
    policy: { version: '1' },
    requester: '',
    notRequester: true,
  },
  ...{ escalation: [], escalated: [], breakGlass: [], collectInMs: 60_000, breakGlassCollectInMs: null },
  ...{ possibleDuplicate: false, inStead: [], outcome: null },
  actions: { release: '', deny: '', amend: '', releaseCalls: '', breakGlass: '' },
};
