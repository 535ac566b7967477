/** A stage for rulings that take more than one person or less than the whole answer: by model, one rule each. */
import type { BrowserContext, Page } from 'playwright-core';
import { launchBrowser, setStage, startFixedProvider } from './stage.ts';

const call = (id: string, name: string, args: Record<string, unknown>) => ({
  id,
  type: 'function',
  function: { name, arguments: JSON.stringify(args) },
});

/** What every call is answered with: three calls of tools. */
const answer = {
  role: 'assistant',
  content: 'I will pay the invoice, tell the customer and tidy up.',
  tool_calls: [
    call('call_pay', 'transfer_funds', {
      amount: 25000,
      currency: 'EUR',
      to: 'DE89370400440532013000',
      reference: 'invoice 4711',
    }),
    call('call_tell', 'send_message', { to: 'customer-1001', text: 'Your invoice 4711 was paid today.' }),
    call('call_tidy', 'delete_records', { customer: '1001' }),
  ],
};

const rule = (model: string, title: string, hold: object, severity = 'high') => ({
  id: `model-${model}`,
  title,
  phase: 'response',
  when: `request.model == "${model}" && size(response.toolCalls) > 0`,
  action: 'hold',
  severity,
  hold,
  tests: [
    { name: 'it', expect: 'match', request: { model }, response: { toolCalls: [{ name: 'any' }] } },
    { name: 'no call', expect: 'no-match', request: { model }, response: { text: 'hello' } },
  ],
});

const policy = JSON.stringify({
  version: '2026-11-26',
  rules: [
    rule('alone', 'One reviewer decides over payments', { approvals: 1, collectIn: '2h' }),
    rule(
      'together',
      'Personal data leaves only with privacy’s consent',
      {
        approvals: { reviewer: 1, privacy: 1 },
        expiresIn: '30m',
        escalate: [{ after: '20m', roles: ['admin'] }],
        breakGlass: { roles: ['admin'], collectIn: '5m' },
      },
      'critical',
    ),
    rule('ladder', 'Whoever is on duty decides', {
      expiresIn: '30m',
      escalate: [{ after: '4s', roles: ['admin'] }],
    }),
  ],
});

export type Rule = 'alone' | 'together' | 'ladder';

export interface Look {
  readonly width: number;
  readonly height: number;
  readonly scheme: 'light' | 'dark';
}

export const desktop: Look = { width: 1360, height: 850, scheme: 'light' };

export interface RulingStage {
  /** A call under this rule, its end handled from the start: the names of the tools it got, or the error. */
  ask(rule: Rule): Promise<string>;
  /** Somebody new of this role in a browser of their own, by name, at the first hold that waits. */
  atHold(role: string, look?: Look): Promise<{ page: Page; name: string }>;
  /** Ends what `atHold` opened. */
  closePages(): Promise<void>;
  close(): Promise<void>;
}

/** With a browser, which it closes. `control` is set beside where it listens. */
export async function setRulingStage(control: Readonly<Record<string, unknown>> = {}): Promise<RulingStage> {
  const provider = await startFixedProvider(answer);
  const [browser, stage] = await Promise.all([launchBrowser(), setStage(policy, provider.url, control)]);
  const opened: BrowserContext[] = [];
  let people = 0;
  let calls = 0;
  return {
    ask: (model) => {
      // A repeated call gets what the one before got.
      calls += 1;
      const messages = [{ role: 'user' as const, content: `Settle invoice ${4711 + calls}.` }];
      return stage
        .workload()
        .chat.completions.create({ model, messages })
        .then(
          ({ choices: [choice] }) =>
            (choice?.message.tool_calls ?? [])
              .map((one) => (one.type === 'function' ? one.function.name : one.type))
              .join(' '),
          (error: unknown) => String(error),
        );
    },
    atHold: async (role, { width, height, scheme } = desktop) => {
      const viewport = { width, height };
      const context = await browser.newContext({ viewport, colorScheme: scheme, reducedMotion: 'reduce' });
      context.setDefaultTimeout(8_000);
      opened.push(context);
      const page = await context.newPage();
      people += 1;
      const names: Readonly<Record<string, string>> = { reviewer: 'rita', privacy: 'petra', admin: 'olga' };
      const name = `${names[role] ?? role}-${people}`;
      const token = stage.token(name, role);
      await page.goto(stage.sidecar.controlUrl);
      await page.getByLabel('Your token').fill(token);
      await page.keyboard.press('Enter');
      await page.locator('.link-live').waitFor();
      await page.locator('.lines:not(.lines-quiet) .line').first().click();
      await page.getByRole('heading', { name: 'Who rules' }).waitFor();
      return { page, name };
    },
    closePages: async () => {
      for (const context of opened.splice(0)) await context.close();
    },
    close: async () => {
      await browser.close();
      await stage.close();
      await provider.close();
    },
  };
}
