import { describe, expect, it } from 'vitest';
import type { Instead, MessageFact } from '../../../src/core/facts.ts';
import { listItemsMax } from '../../../src/policy/bounds.ts';
import { call, facts, judgeOf, requestFacts, responseFacts } from './support.ts';

describe('judge', () => {
  it('passes what no rule matches', () => {
    expect(judgeOf({ when: 'response.text == "x"' }).judge('response', facts({ text: 'y' }))).toEqual({
      action: 'pass',
      matches: [],
    });
  });

  it('gives each match in the order of the rules, with what the rule demands', () => {
    const judged = judgeOf(
      { id: 'first', when: 'true', action: 'flag' },
      { id: 'second', when: 'false' },
      { id: 'third', when: 'response.text == "x"', action: 'hold' },
    ).judge('response', facts({ text: 'x' }));
    expect(judged.matches.map((match) => match.rule)).toEqual(['first', 'third']);
    expect(judged.matches[1]).toEqual({
      rule: 'third',
      title: 'third',
      when: 'response.text == "x"',
      action: 'hold',
      severity: 'medium',
      hold: { expiresInMs: 60_000, approvals: 1, roles: ['reviewer'], notRequester: true },
    });
  });

  it.each([
    [['flag'], 'flag'],
    [['flag', 'hold'], 'hold'],
    [['deny', 'hold', 'flag'], 'deny'],
    [['hold', 'deny'], 'deny'],
  ] as const)('of %j the strictest wins: %s', (actions, expected) => {
    const judged = judgeOf(...actions.map((action) => ({ when: 'true', action }))).judge('response', facts());
    expect(judged.action).toBe(expected);
  });

  it('denies where a rule that denies matches one of the requests that may be run, and fails on another', () => {
    const words = { tokenIds: 0, text: 'the merger' };
    const policy = judgeOf({ when: 'request.text.contains("merger")', phase: 'request', action: 'deny' });
    const asked = (insteads: readonly Instead[]) => facts({}, { tokenIds: 3, insteads });
    expect(policy.judge('request', asked([])).action).toBe('hold');
    expect(policy.judge('request', asked([words])).action).toBe('deny');
    expect(policy.judge('request', asked([words, { text: 'no', tokenIds: 3 }])).action).toBe('deny');
  });

  it('says in few words why a rule failed, however long what it failed on is called', () => {
    const policy = judgeOf({ when: 'request.params[response.text] == 1' });
    const [match] = policy.judge('response', facts({ text: 'n'.repeat(100_000) })).matches;
    expect(match?.error).toMatch(/^No such key: n+$/);
    expect(match?.error).toHaveLength(500);
  });

  it('runs only the rules of the phase', () => {
    const policy = judgeOf({ when: 'true', phase: 'request', id: 'asked' }, { when: 'true', id: 'answered' });
    expect(policy.judge('request', facts()).matches.map((match) => match.rule)).toEqual(['asked']);
    expect(policy.judge('response', facts()).matches.map((match) => match.rule)).toEqual(['answered']);
  });

  it('knows which phases have rules', () => {
    const policy = judgeOf({ when: 'true', phase: 'request' });
    expect([policy.hasRules('request'), policy.hasRules('response')]).toEqual([true, false]);
  });

  it('reads every fact under its name and type', () => {
    const messages: MessageFact[] = [{ role: 'user', text: 'hi', toolCalls: [call('f', { a: [1] })] }];
    const given = facts(
      { status: 429, refusal: 'no', toolCalls: [call('g', { n: { m: 'deep' } })] },
      {
        messages,
        tools: [{ name: 't', description: 'd' }],
        params: { temperature: 0.5 },
        headers: { 'x-team': 'red' },
        stream: true,
        purpose: 'p',
      },
      ['pii.iban'],
    );
    const when = [
      'request.messages[0].role == "user" && request.messages[0].toolCalls[0].arguments.a[0] == 1',
      'request.tools.exists(t, t.name == "t" && t.description == "d")',
      'request.params.temperature == 0.5 && request.headers["x-team"] == "red" && request.stream',
      'request.purpose == "p" && "pii.iban" in labels && size(labels) == 1',
      'response.status == 429 && response.status >= 400 && response.refusal == "no"',
      'response.usage.inputTokens + response.usage.outputTokens == response.usage.totalTokens',
      'response.toolCalls[0].arguments.n.m == "deep" && response.toolCalls.exists(c, !has(c.arguments.x))',
    ].join(' && ');
    expect(judgeOf({ when }).judge('response', given)).toMatchObject({ action: 'hold', matches: [{}] });
    expect(judgeOf({ when }).judge('response', given).matches[0]).not.toHaveProperty('error');
  });
});

describe('a rule that fails while it is evaluated', () => {
  it.each(['hold', 'deny', 'flag'] as const)('holds, although its action is %s, and says why', (action) => {
    const when = 'response.toolCalls.exists(c, num(c.arguments.amount) > 1.0)';
    const judged = judgeOf({ when, action }).judge(
      'response',
      facts({ toolCalls: [call('f', { amount: '25,000' })] }),
    );
    expect(judged.action).toBe('hold');
    expect(judged.matches).toMatchObject([
      { rule: 'rule', action: 'hold', error: expect.stringContaining('25,000') },
    ]);
  });

  it('does not hide a stricter match', () => {
    const judged = judgeOf({ when: 'request.headers["none"] == ""' }, { when: 'true', action: 'deny' }).judge(
      'response',
      facts(),
    );
    expect(judged.action).toBe('deny');
    expect(judged.matches).toHaveLength(2);
  });

  it.each(['response.text == "x"', 'response.toolCalls.exists(c, c.name == "x")'])(
    'holds when a response rule is judged without a response: %s',
    (when) => {
      const judged = judgeOf({ when, action: 'flag' }).judge('response', {
        request: requestFacts(),
        labels: [],
      });
      expect(judged).toMatchObject({
        action: 'hold',
        matches: [{ error: expect.stringContaining('response') }],
      });
    },
  );

  it.each([
    ['a text where a number is compared', 'c.arguments.amount > 5', { amount: '9' }],
    ['a missing key', 'c.arguments.amount > 5', {}],
    ['a null', 'c.arguments.amount > 5', { amount: null }],
    ['arguments that are a list', 'c.arguments.amount > 5', [1]],
    ['arguments that are a text', 'c.arguments.amount > 5', 'x'],
    ['arguments that are null', 'c.arguments.amount > 5', null],
    ['a key that shadows a property of objects', 'c.arguments.amount > 5', { constructor: 1, amount: 1 }],
    ['a value that has no CEL type', 'c.arguments.amount > 5', { amount: new Date(0) }],
  ])('holds on %s', (_, predicate, args) => {
    const judged = judgeOf({ when: `response.toolCalls.exists(c, ${predicate})` }).judge(
      'response',
      facts({ toolCalls: [call('f', args)] }),
    );
    expect(judged.matches).toMatchObject([{ action: 'hold', error: expect.any(String) }]);
  });

  it('is no failure where another part decides', () => {
    const when = 'response.toolCalls.exists(c, c.name == "f" || num(c.arguments.amount) > 1.0)';
    const judged = judgeOf({ when }).judge('response', facts({ toolCalls: [call('f')] }));
    expect(judged.matches[0]).not.toHaveProperty('error');
  });
});

describe('a judgement is bounded in time', () => {
  it('with two walks inside each other over the largest lists', () => {
    const list = Array.from({ length: listItemsMax }, (_, index) => index);
    const when = 'response.toolCalls.exists(c, c.arguments.l.all(a, c.name != ""))';
    const given = facts({ toolCalls: list.map(() => call('f', { l: list })) });
    const startMs = performance.now();
    expect(judgeOf({ when: when.replace('!=', '==') }).judge('response', given).action).toBe('pass');
    expect(judgeOf({ when }).judge('response', given).action).toBe('hold');
    expect(performance.now() - startMs).toBeLessThan(3_000);
  });

  it('with a pattern that makes backtracking engines explode', () => {
    const when = "re2(response.text, r'^(([a-z]+)+)+$')";
    const startMs = performance.now();
    expect(judgeOf({ when }).judge('response', facts({ text: `${'a'.repeat(100_000)}!` })).action).toBe(
      'pass',
    );
    expect(performance.now() - startMs).toBeLessThan(3_000);
  });
});

describe('textMayStream', () => {
  const onCalls = 'response.toolCalls.exists(c, c.name == "f")';

  it.each([
    ['no response rules', { when: 'true', phase: 'request' }, true],
    ['tool calls only', { when: onCalls }, true],
    ['tool calls and the request', { when: `request.model == "x" || ${onCalls}` }, true],
    ['text', { when: 'response.text == "x"' }, false],
    ['text besides tool calls', { when: `${onCalls} && response.text == "x"` }, false],
    ['the status', { when: 'response.status == 500' }, false],
    ['the model of the answer', { when: 'response.model == "x"' }, false],
    ['labels, which may come from the text', { when: '"pii.iban" in labels' }, false],
    ['how long the answer is', { when: 'response.usage.outputTokens > 100' }, false],
    ['text within a map', { when: '{"a": response.text}["a"] == "x"' }, false],
    ['the response as a whole', { when: 'texts(response) == "x"' }, false],
    ['a deny rule on text', { when: 'response.text == "x"', action: 'deny' }, false],
    ['a flag rule on text that cannot fail', { when: "re2(response.text, r'x')", action: 'flag' }, true],
    ['a flag rule on text that can fail', { when: 'num(response.text) > 1.0', action: 'flag' }, false],
    ['true without tool calls', { when: 'size(response.toolCalls) == 0' }, false],
    [
      'a flag that is true without tool calls',
      { when: 'size(response.toolCalls) == 0', action: 'flag' },
      true,
    ],
    ['all, which is true of none', { when: 'response.toolCalls.all(c, c.name == "f")' }, false],
    ['a failure without tool calls', { when: 'response.toolCalls[0].name == "f"' }, false],
    [
      'a flag that fails without tool calls',
      { when: 'response.toolCalls[0].name == "f"', action: 'flag' },
      false,
    ],
  ] as const)('%s', (_, rule, expected) => {
    expect(judgeOf(rule).textMayStream({ request: requestFacts(), labels: [] })).toBe(expected);
  });

  it('depends on the request where the rule does', () => {
    const policy = judgeOf({ when: `request.model == "risky" || ${onCalls}` });
    const ask = (model: string) => policy.textMayStream({ request: requestFacts({ model }), labels: [] });
    expect([ask('risky'), ask('plain')]).toEqual([false, true]);
  });

  it('is false when the request alone makes a rule fail', () => {
    const policy = judgeOf({ when: `num(request.purpose) > 1.0 || ${onCalls}` });
    expect(policy.textMayStream({ request: requestFacts(), labels: [] })).toBe(false);
  });

  it('does not let the answer it is handed decide', () => {
    const policy = judgeOf({ when: 'size(response.toolCalls) == 0' });
    const given = {
      request: requestFacts(),
      response: responseFacts({ toolCalls: [call('f')] }),
      labels: [],
    };
    expect(policy.textMayStream(given)).toBe(false);
  });
});

describe('a prompt given as token ids', () => {
  const given = facts({}, { text: 'half of it', tokenIds: 3 });

  it.each(['request.text.contains("password")', 'request.messages.exists(m, m.text.contains("password"))'])(
    'holds where a rule has to read it: %s',
    (when) => {
      for (const action of ['flag', 'hold'] as const) {
        const judged = judgeOf({ when, action, phase: 'request' }).judge('request', given);
        expect(judged.action).toBe('hold');
        expect(judged.matches[0]?.error).toContain('given as 3 token ids');
      }
    },
  );

  it.each(['request.model == "other"', 'request.tokenIds == 0 && request.text.contains("password")'])(
    'passes where a rule is decided without it: %s',
    (when) => {
      expect(judgeOf({ when, phase: 'request' }).judge('request', given).action).toBe('pass');
    },
  );

  it('can be asked for', () => {
    expect(
      judgeOf({ when: 'request.tokenIds > 2', phase: 'request', action: 'deny' }).judge('request', given)
        .action,
    ).toBe('deny');
  });

  it('keeps an answer from streaming past a flag that would have to read it', () => {
    const policy = judgeOf({ when: 'response.text.contains("x") && request.text == "y"', action: 'flag' });
    expect(policy.textMayStream(given)).toBe(false);
  });
});

describe('a policy that is asked about facts which the record does not have', () => {
  const lacking = new Set(['request.subject']);
  it.each([
    { action: 'deny', denies: true, stops: true },
    { action: 'hold', denies: false, stops: true },
    { action: 'flag', denies: false, stops: false },
  ] as const)('says of a rule that reads one and would $action', ({ action, denies, stops }) => {
    const policy = judgeOf({ when: 'request.subject == "x"', phase: 'request', action });
    expect([policy.deniesBy('request', lacking), policy.stopsBy('request', lacking)]).toEqual([
      denies,
      stops,
    ]);
    expect(policy.stopsBy('response', lacking)).toBe(false);
  });

  it('finds one where a rule reads what is within it, or all there is', () => {
    for (const when of ['request.headers.team == "red"', 'texts(request) == "red"']) {
      const policy = judgeOf({ when, phase: 'request', action: 'deny' });
      expect(policy.deniesBy('request', new Set(['request.headers']))).toBe(true);
    }
  });

  it('says nothing of rules that read other facts', () => {
    const policy = judgeOf({ when: 'request.model == "x"', phase: 'request', action: 'hold' });
    expect(policy.stopsBy('request', lacking)).toBe(false);
  });
});
