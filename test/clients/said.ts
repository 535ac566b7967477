/** What the model of the matrix says, before it has the form of a family. */
export interface Said {
  readonly content: string;
  readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly usage: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly total_tokens: number;
  };
}

/** The text as a model streams it. */
export const pieces = (text: string): readonly string[] => text.match(/.{1,7}/gsu) ?? [];

/** One server-sent event. */
export const sse = (data: unknown, event?: string): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
