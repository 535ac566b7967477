/** Ready-made messages: Slack's incoming webhooks (Block Kit) and Microsoft Teams' workflows (Adaptive Card 1.4). */
import { factsOf, headlineOf, linkOf, type Notice } from './notice.ts';

/** Slack cuts or refuses longer texts of a section's field and of a header. */
const fieldCharsMax = 2_000;
const headerCharsMax = 150;
/** Slack takes at most ten fields in a section. */
const fieldsMax = 10;

/** https://docs.slack.dev/messaging/formatting-message-text: these three are the only characters with a meaning to escape. */
function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export function slackMessage(notice: Notice, consoleUrl: string): unknown {
  const headline = headlineOf(notice);
  const fields = factsOf(notice).map(([name, value]) => ({
    type: 'plain_text',
    text: `${name}\n${value}`.slice(0, fieldCharsMax),
    emoji: false,
  }));
  // However many rules hold it: until when comes after them, and is not what is left out.
  const sections = Array.from({ length: Math.ceil(fields.length / fieldsMax) }, (_, i) => ({
    type: 'section',
    fields: fields.slice(i * fieldsMax, (i + 1) * fieldsMax),
  }));
  return {
    text: slackText(headline),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: headline.slice(0, headerCharsMax), emoji: false } },
      ...sections,
      {
        type: 'actions',
        elements: [
          {
            type: 'button',
            text: { type: 'plain_text', text: 'Open in Holdpoint', emoji: false },
            url: linkOf(notice, consoleUrl),
          },
        ],
      },
    ],
  };
}

/** A message with one card, as the Teams workflow "post to a channel when a webhook request is received" takes it. */
export function teamsMessage(notice: Notice, consoleUrl: string): unknown {
  const facts = factsOf(notice).map(([title, value]) => ({ title, value: plainMarkdown(value) }));
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            {
              type: 'TextBlock',
              text: plainMarkdown(headlineOf(notice)),
              weight: 'Bolder',
              size: 'Medium',
              wrap: true,
            },
            ...(facts.length === 0 ? [] : [{ type: 'FactSet', facts }]),
          ],
          actions: [{ type: 'Action.OpenUrl', title: 'Open in Holdpoint', url: linkOf(notice, consoleUrl) }],
        },
      },
    ],
  };
}

/** Cards read a subset of Markdown: what would begin a link or emphasis is escaped. */
function plainMarkdown(text: string): string {
  return text.replace(/[\\[\]()*_`~]/g, (sign) => `\\${sign}`);
}
