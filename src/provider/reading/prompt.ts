/** What a request's messages say to the model, and with whose authority. Pure. */
import type { MessageFact } from '../../core/facts.ts';
import { joined } from './reading.ts';

export interface Prompt {
  /** What was said in the system's name; `developer` is what newer models call it. */
  readonly system: string;
  /** What everybody else said. */
  readonly conversation: string;
}

/** The words of a request: those it has outside its messages in the system's name, and those of its messages. */
export function promptOf(outside: string, messages: readonly MessageFact[]): Prompt {
  let system = outside;
  let conversation = '';
  for (const { role, text } of messages) {
    if (role === 'system' || role === 'developer') system = joined(system, text);
    else conversation = joined(conversation, text);
  }
  return { system, conversation };
}
