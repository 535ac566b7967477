/** A strict reader of Prometheus text format 0.0.4: what it does not know, it refuses. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: Sample[];
}

export function parsePrometheus(page: string): Map<string, Family> {
  if (!page.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let help: [string, string] | null = null;
  let current: [string, Family] | null = null;
  for (const line of page.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind, name = '', text = ''] = comment;
      if (kind === 'HELP') {
        help = [name, text];
        continue;
      }
      if (help?.[0] !== name) throw new Error(`TYPE without its HELP: ${line}`);
      if (!/^(counter|gauge|histogram)$/.test(text)) throw new Error(`unknown type: ${line}`);
      if (families.has(name)) throw new Error(`described twice: ${name}`);
      current = [name, { type: text, help: help[1], samples: [] }];
      families.set(...current);
      continue;
    }
    const sample = sampleOf(line);
    const key = line.slice(0, line.lastIndexOf(' '));
    if (seen.has(key)) throw new Error(`sampled twice: ${key}`);
    seen.add(key);
    const allowed =
      current?.[1].type === 'histogram'
        ? ['_bucket', '_sum', '_count'].map((end) => `${current?.[0]}${end}`)
        : [current?.[0]];
    if (current === null || !allowed.includes(sample.name)) throw new Error(`outside its family: ${line}`);
    current[1].samples.push(sample);
  }
  return families;
}

function sampleOf(line: string): Sample {
  const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (match === null) throw new Error(`not a sample: ${line}`);
  const [, name = '', labelText = '', valueText = ''] = match;
  const value = valueText === '+Inf' ? Number.POSITIVE_INFINITY : Number(valueText);
  if (Number.isNaN(value)) throw new Error(`not a number: ${line}`);
  const labels: Record<string, string> = {};
  let rest = labelText;
  while (rest !== '') {
    const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/.exec(rest);
    if (label === null) throw new Error(`not labels: ${line}`);
    const [whole, key = '', raw = ''] = label;
    if (key in labels) throw new Error(`label twice: ${line}`);
    labels[key] = raw.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
    rest = rest.slice(whole.length);
  }
  return { name, labels, value };
}
