/**
 * The one shape every provider's traffic is normalised to. Rules, records and the console read these;
 * parsers in `provider/` write them. A text that is absent on the wire is '' here, a list is [], so that
 * a rule never meets null. Pure types; imports nothing.
 */

/** What a call is called and handed. */
export interface CallReading {
  readonly name: string;
  /** The arguments parsed as JSON; {} when they were empty or did not parse (see `defects`). */
  readonly arguments: unknown;
  /** The arguments exactly as the provider sent them, whole, streams reassembled. */
  readonly argumentsText: string;
}

/** One tool call as the model asked for it. */
export interface ToolCallFact extends CallReading {
  readonly id: string;
  /**
   * The same call as others call or read it: of a tool that a provider calls itself, what its server calls it; with its
   * namespace before its name; with a number as some client reads it. Rules see each as a call; absent for none.
   */
  readonly alsoAs?: readonly CallReading[];
}

export interface MessageFact {
  readonly role: string;
  /** All text of the message joined by newlines, tool results included. */
  readonly text: string;
  readonly toolCalls: readonly ToolCallFact[];
}

export interface ToolFact {
  readonly name: string;
  readonly description: string;
}

/** What differs, in a request that may be run in place of another, from that one. */
export type Instead = Partial<
  Pick<RequestFacts, 'model' | 'stream' | 'params' | 'system' | 'messages' | 'text' | 'tokenIds' | 'tools'>
>;

export interface RequestFacts {
  /** The protocol family: `openai`, `anthropic`. */
  readonly provider: string;
  /** `chat.completions`, `responses`, `messages`, or `unknown`. */
  readonly operation: string;
  readonly method: string;
  /** The path at the upstream, without the query string. */
  readonly path: string;
  /** As the request names it; of an agent that is kept at a provider and named by its id alone, that. */
  readonly model: string;
  readonly stream: boolean;
  /** The scalar sampling and limit parameters as sent: temperature, max_tokens, … */
  readonly params: Readonly<Record<string, unknown>>;
  readonly system: string;
  readonly messages: readonly MessageFact[];
  /** Everything the model reads as text: system, messages, tool results, joined by newlines. */
  readonly text: string;
  /**
   * How many token ids stand where words would; absent for none. What they spell only the model's tokenizer
   * knows, so `text` and `messages` are then not all that the model reads.
   */
  readonly tokenIds?: number;
  /**
   * What the provider may run in its place, such as with the model to fall back to: what differs from this request.
   * Rules see each as a request; absent for none.
   */
  readonly insteads?: readonly Instead[];
  /**
   * Files of requests that run with this one and that nobody judged here when they were uploaded with this
   * credential: ids, or places, as the request names them; absent for none.
   */
  readonly unjudgedFiles?: readonly string[];
  readonly tools: readonly ToolFact[];
  /** Allow-listed headers, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly workload: string;
  readonly subject: string;
  readonly purpose: string;
  readonly session: string;
}

/** Tokens as counted by the provider, or marked absent; never guessed. */
export interface UsageFacts {
  readonly source: 'provider' | 'absent';
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
}

export interface ResponseFacts {
  readonly status: number;
  readonly model: string;
  /** OpenAI's system_fingerprint; '' where the provider has none. */
  readonly fingerprint: string;
  readonly text: string;
  readonly toolCalls: readonly ToolCallFact[];
  readonly finishReason: string;
  readonly usage: UsageFacts;
  readonly refusal: string;
}

export interface Facts {
  readonly request: RequestFacts;
  /** Absent in the request phase. */
  readonly response?: ResponseFacts;
  /** What is suspected, such as `pii.iban`, where somebody says so; the classifiers say it where it is absent. */
  readonly labels?: readonly string[];
}
