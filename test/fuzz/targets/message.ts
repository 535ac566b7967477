/**
 * How an exchange is one input: a line that says what was called and what came, then the body's bytes.
 *
 *     POST /v1/chat/completions 200 text/event-stream 17,200\n<body>
 *
 * The numbers at the end are where a stream is cut, modulo its length. What stands in the line is mutated as well.
 */
export interface FuzzedMessage {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly contentType: string;
  readonly cuts: readonly number[];
  readonly body: Buffer;
}

const cutsMax = 16;

export function readMessage(input: Buffer): FuzzedMessage {
  const end = input.indexOf(0x0a);
  const line = input.toString('latin1', 0, end === -1 ? input.length : end);
  const [method = '', path = '', status = '', contentType = '', cuts = ''] = line.split(' ');
  return {
    method,
    path,
    status: Number(/^[1-5]\d\d$/.exec(status)?.[0] ?? 200),
    contentType: contentType.replaceAll('+', ' '),
    cuts: cuts.split(',').slice(0, cutsMax).map(Number).filter(Number.isSafeInteger),
    body: end === -1 ? Buffer.alloc(0) : input.subarray(end + 1),
  };
}

export function writeMessage(message: Omit<FuzzedMessage, 'cuts'>): Buffer {
  const { method, path, status, contentType, body } = message;
  const head = `${method} ${path} ${status} ${contentType.replaceAll(' ', '+')} 7,31,90\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/** The body in as many pieces as the cuts make of it. */
export function piecesOf({ body, cuts }: FuzzedMessage): readonly Buffer[] {
  const places = cuts.map((cut) => Math.abs(cut) % (body.length + 1)).sort((a, b) => a - b);
  return [0, ...places].map((start, i) => body.subarray(start, places[i] ?? body.length));
}
