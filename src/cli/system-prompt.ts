/** The system prompt beside the messages that follow it. */

interface Said {
  readonly system: string;
  readonly messages: readonly { readonly role: string; readonly text: string }[];
}

/** It; '' where the messages say all of it, as some APIs give it in messages. */
export function systemBeside({ system, messages }: Said): string {
  const left = messages
    .filter(({ role }) => role === 'system' || role === 'developer')
    .reduce((rest, { text }) => rest.replace(text, () => ''), system);
  return left.trim() === '' ? '' : system;
}
