/** Messages for Slack and Microsoft Teams, in the forms that these take. */
import { describe, expect, it } from 'vitest';
import { slackMessage, teamsMessage } from '../../src/notify/chat.ts';
import { noticeOf } from '../../src/notify/notice.ts';
import { startMs, testHold } from './scene.ts';

const console = 'https://console.example.com';
const [rule] = testHold(17).rules;
const hostile = {
  ...testHold(17),
  rules: [
    {
      id: 'r',
      title: '<!channel> [click](https://evil.example) *now* & more',
      when: '',
      severity: 'high',
      error: '',
    },
  ],
} as const;
const notice = noticeOf('holdpoint.hold.opened', testHold(17), 'd-0a1b2c3d-16', startMs);

describe('a Slack message', () => {
  it('has a text, a header, the facts and a button with the link', () => {
    expect(rule?.id).toBe('large-transfer');
    expect(slackMessage(notice, console)).toEqual({
      text: 'A call is held and waits for a ruling: h-0a1b2c3d-17',
      blocks: [
        {
          type: 'header',
          text: {
            type: 'plain_text',
            text: 'A call is held and waits for a ruling: h-0a1b2c3d-17',
            emoji: false,
          },
        },
        {
          type: 'section',
          fields: [
            'Severity\nhigh',
            'Rule\nlarge-transfer: Transfers need a reviewer',
            'Held\nresponse',
            'State\npending',
            'Expires\n2026-11-26T10:15:00.000Z',
            'Decision\nd-0a1b2c3d-16',
          ].map((text) => ({ type: 'plain_text', text, emoji: false })),
        },
        {
          type: 'actions',
          elements: [
            {
              type: 'button',
              text: { type: 'plain_text', text: 'Open in Holdpoint', emoji: false },
              url: 'https://console.example.com/#/holds/h-0a1b2c3d-17',
            },
          ],
        },
      ],
    });
  });

  it('has no more fields in a section than Slack takes and none too long, and loses none, however many rules hold', () => {
    const rules = Array.from({ length: 20 }, (_, i) => ({
      ...hostile.rules[0],
      id: `r${i}`,
      title: 'x'.repeat(5_000),
    }));
    const message = slackMessage(
      noticeOf('holdpoint.hold.opened', { ...hostile, rules }, 'd-1', startMs),
      console,
    );
    const { blocks } = Object(message);
    const sections: readonly { readonly fields: readonly { readonly text: string }[] }[] = blocks.slice(
      1,
      -1,
    );
    const fields = sections.flatMap((section) => section.fields);
    expect(sections.map((section) => section.fields.length)).toEqual([10, 3]);
    expect(fields.map(({ text }) => text)).toContain('Expires\n2026-11-26T10:15:00.000Z');
    expect(Math.max(...fields.map(({ text }) => text.length))).toBeLessThanOrEqual(2_000);
  });

  it('shows a rule’s title as plain text, whatever stands in it', () => {
    const message = JSON.stringify(
      slackMessage(noticeOf('holdpoint.hold.opened', hostile, 'd', startMs), console),
    );
    expect(message).not.toContain('mrkdwn');
  });
});

describe('a Teams message', () => {
  it('is one adaptive card with the facts and the link', () => {
    expect(teamsMessage(notice, console)).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          content: {
            type: 'AdaptiveCard',
            version: '1.4',
            body: [{ type: 'TextBlock' }, { type: 'FactSet' }],
            actions: [{ type: 'Action.OpenUrl', url: 'https://console.example.com/#/holds/h-0a1b2c3d-17' }],
          },
        },
      ],
    });
  });

  it('about no hold has no empty set of facts', () => {
    const test = { id: 't', type: 'holdpoint.test', atMs: startMs, severity: 'low', hold: null } as const;
    expect(JSON.stringify(teamsMessage(test, console))).not.toContain('FactSet');
    expect(JSON.stringify(slackMessage(test, console))).not.toContain('section');
  });

  it('escapes what would be a link', () => {
    const message = JSON.stringify(
      teamsMessage(noticeOf('holdpoint.hold.opened', hostile, 'd', startMs), console),
    );
    expect(message).not.toContain('[click](');
  });
});

describe('a notice', () => {
  it('names eight rules at most, each by 200 characters of its title', () => {
    const rules = Array.from({ length: 9 }, (_, i) => ({
      ...hostile.rules[0],
      id: `r${i}`,
      title: 'x'.repeat(201),
    }));
    const { hold } = noticeOf('holdpoint.hold.opened', { ...hostile, rules }, 'd-1', startMs);
    expect(hold?.rules.map(({ id, title }) => [id, title.length])).toEqual(
      Array.from({ length: 8 }, (_, i) => [`r${i}`, 200]),
    );
  });
});
