/** What of a rule was true of a held call, as the hold tells it. */
import { z } from 'zod';

export const truePartSchema = z
  .object({
    expression: z.string().describe('A comparison or call of the rule that was true, as it was written.'),
    values: z
      .array(
        z.object({
          path: z
            .string()
            .describe(
              "JSON Pointer (RFC 6901) of what it read, such as `/response/toolCalls/0/arguments/amount`; '' where that is no one place of the exchange.",
            ),
          value: z
            .string()
            .describe('A text as it is, anything else as JSON; of a long one, the part that matched.'),
        }),
      )
      .describe('What it was true of; at most four.'),
  })
  .meta({ id: 'TruePart', description: 'A part of a rule that made it match.' });
