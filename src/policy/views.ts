/**
 * Facts as rules see them: the same names, integers as CEL integers, and every list and map bounded.
 * What goes over a bound is not cut short, because a rule that saw a part would decide wrongly: reading it
 * fails, and a rule that fails holds. So does reading words that came as token ids, which nobody here can spell.
 * Nothing is copied until a rule reads it.
 */
import type {
  CallReading,
  Facts,
  MessageFact,
  RequestFacts,
  ResponseFacts,
  ToolCallFact,
  UsageFacts,
} from '../core/facts.ts';
import { bounded, boundedJson } from './bounds.ts';
import { labelsIn } from './classify/classify.ts';
import { texts } from './functions.ts';

export class ToolCallView {
  readonly id: string;
  readonly name: string;
  readonly argumentsText: string;
  readonly #place: string;
  readonly #reading: CallReading;
  #checked = false;

  constructor(id: string, reading: CallReading, place: string) {
    this.id = id;
    this.name = reading.name;
    this.argumentsText = reading.argumentsText;
    this.#place = place;
    this.#reading = reading;
  }

  /** As a JSON Pointer (RFC 6901) below the list: of the call, or of the other reading within it. No rule reads it. */
  get place(): string {
    return this.#place;
  }

  get arguments(): unknown {
    // Not by its name: what a rule failed on is sealed, and that is the model's own word.
    if (!this.#checked) boundedJson('what a tool call is handed', this.#reading.arguments);
    this.#checked = true;
    return this.#reading.arguments;
  }
}

/** The calls in their places, and behind them what else each is known as. */
function callViews(what: string, calls: readonly ToolCallFact[]): readonly ToolCallView[] {
  const own = calls.map((call, place) => new ToolCallView(call.id, call, `${place}`));
  const others = calls.flatMap(({ id, alsoAs = [] }, place) =>
    alsoAs.map((reading, i) => new ToolCallView(id, reading, `${place}/alsoAs/${i}`)),
  );
  return bounded(what, [...own, ...others]);
}

/** Readings of a call that hand its tool something else than the call does, or lay open what stands in it as a text. */
function handedOtherwise({ argumentsText, alsoAs = [] }: ToolCallFact): readonly CallReading[] {
  const seen = new Set([argumentsText]);
  return alsoAs.filter((other) => {
    const isNew = !seen.has(other.argumentsText);
    seen.add(other.argumentsText);
    return isNew;
  });
}

export class MessageView {
  readonly role: string;
  readonly text: string;
  readonly #fact: MessageFact;
  #toolCalls: readonly ToolCallView[] | undefined;

  constructor(fact: MessageFact) {
    this.role = fact.role;
    this.text = fact.text;
    this.#fact = fact;
  }

  get toolCalls(): readonly ToolCallView[] {
    this.#toolCalls ??= callViews('message.toolCalls', this.#fact.toolCalls);
    return this.#toolCalls;
  }
}

export class ToolView {
  readonly name: string;
  readonly description: string;

  constructor(fact: { readonly name: string; readonly description: string }) {
    this.name = fact.name;
    this.description = fact.description;
  }
}

export class UsageView {
  readonly source: string;
  readonly inputTokens: bigint;
  readonly outputTokens: bigint;
  readonly totalTokens: bigint;

  constructor(fact: UsageFacts) {
    this.source = fact.source;
    this.inputTokens = BigInt(fact.inputTokens);
    this.outputTokens = BigInt(fact.outputTokens);
    this.totalTokens = BigInt(fact.totalTokens);
  }
}

export class RequestView {
  readonly provider: string;
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly model: string;
  readonly stream: boolean;
  readonly system: string;
  readonly workload: string;
  readonly subject: string;
  readonly purpose: string;
  readonly session: string;
  readonly #facts: RequestFacts;
  #messages: readonly MessageView[] | undefined;
  #tools: readonly ToolView[] | undefined;

  constructor(facts: RequestFacts) {
    this.provider = facts.provider;
    this.operation = facts.operation;
    this.method = facts.method;
    this.path = facts.path;
    this.model = facts.model;
    this.stream = facts.stream;
    this.system = facts.system;
    this.workload = facts.workload;
    this.subject = facts.subject;
    this.purpose = facts.purpose;
    this.session = facts.session;
    this.#facts = facts;
  }

  get tokenIds(): bigint {
    return BigInt(this.#facts.tokenIds ?? 0);
  }

  get text(): string {
    return this.readableAs('request.text');
  }

  /** The text, for what is called `what` in the rule. Throws `RangeError` where words came as token ids. */
  readableAs(what: string): string {
    this.#refuseTokenIds(what);
    return this.#facts.text;
  }

  #refuseTokenIds(what: string): void {
    const { tokenIds = 0 } = this.#facts;
    if (tokenIds === 0) return;
    throw new RangeError(
      `${what} cannot be read: the prompt was given as ${tokenIds} token ids; ask request.tokenIds == 0 first`,
    );
  }

  get params(): unknown {
    return boundedJson('request.params', this.#facts.params);
  }

  get headers(): unknown {
    return boundedJson('request.headers', this.#facts.headers);
  }

  get unjudgedFiles(): readonly string[] {
    return bounded('request.unjudgedFiles', this.#facts.unjudgedFiles ?? []);
  }

  get messages(): readonly MessageView[] {
    this.#refuseTokenIds('request.messages');
    this.#messages ??= bounded('request.messages', this.#facts.messages).map((fact) => new MessageView(fact));
    return this.#messages;
  }

  get tools(): readonly ToolView[] {
    this.#tools ??= bounded('request.tools', this.#facts.tools).map((fact) => new ToolView(fact));
    return this.#tools;
  }
}

export class ResponseView {
  readonly model: string;
  readonly fingerprint: string;
  readonly text: string;
  readonly finishReason: string;
  readonly refusal: string;
  readonly #facts: ResponseFacts;
  #toolCalls: readonly ToolCallView[] | undefined;

  constructor(facts: ResponseFacts) {
    this.model = facts.model;
    this.fingerprint = facts.fingerprint;
    this.text = facts.text;
    this.finishReason = facts.finishReason;
    this.refusal = facts.refusal;
    this.#facts = facts;
  }

  get status(): bigint {
    return BigInt(this.#facts.status);
  }

  get usage(): UsageView {
    return new UsageView(this.#facts.usage);
  }

  get toolCalls(): readonly ToolCallView[] {
    this.#toolCalls ??= callViews('response.toolCalls', this.#facts.toolCalls);
    return this.#toolCalls;
  }
}

/** The facts as they are, and with each request that the provider may run in place of this one. */
export function readingsOf(facts: Facts): readonly Facts[] {
  // Hardly any has them, and every judgement asks.
  if (facts.request.insteads === undefined) return [facts];
  const { insteads, ...own } = facts.request;
  return [facts, ...insteads.map((instead) => ({ ...facts, request: { ...own, ...instead } }))];
}

/** The variables of one judgement. `response` is undefined in the request phase: reading it fails. */
export class Variables {
  readonly request: RequestView;
  readonly response: ResponseView | undefined;
  readonly #facts: Facts;
  #labels: readonly string[] | undefined;

  constructor(facts: Facts) {
    this.request = new RequestView(facts.request);
    this.response = facts.response === undefined ? undefined : new ResponseView(facts.response);
    this.#facts = facts;
    this.#labels = facts.labels;
  }

  /** Of what the phase judges: of the answer where there is one. Classified once, and only when a rule asks. */
  get labels(): readonly string[] {
    this.#labels ??= labelsIn(this.#judgedText());
    return bounded('labels', this.#labels);
  }

  /** All that was written, and what is handed to tools both as it was sent, numbers and all, and with its escapes undone. */
  #judgedText(): string {
    const { request, response } = this.#facts;
    const written =
      response === undefined ? [this.request.readableAs('labels')] : [response.text, response.refusal];
    const calls =
      response === undefined ? request.messages.flatMap((message) => message.toolCalls) : response.toolCalls;
    const handed = calls.flatMap((call) => [call, ...handedOtherwise(call)]);
    return [...written, ...handed.flatMap((call) => [call.argumentsText, texts(call.arguments)])].join('\n');
  }
}
