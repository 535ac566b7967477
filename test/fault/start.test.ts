/** A start that fails midway: what had begun by then ends, and the next one finds everything free. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { atEnd, endAll } from '../support/endings.ts';
import { listeningOn } from '../support/listening-on.ts';
import { makePlace, type Place, startTestSidecar } from '../support/sidecar.ts';

const settings = {
  upstreams: { openai: { url: 'http://127.0.0.1:9', protocol: 'openai', mount: '/openai' } },
} as const;
const listensSchema = z.object({ listen: z.string() });
const configSchema = z.looseObject({
  proxy: listensSchema.extend({ forward: listensSchema.optional() }),
  control: listensSchema,
});

function configure(place: Place, change: (config: z.infer<typeof configSchema>) => void): void {
  const config = configSchema.parse(JSON.parse(readFileSync(place.configFile, 'utf8')));
  change(config);
  writeFileSync(place.configFile, JSON.stringify(config));
}

const causes: [string, (config: z.infer<typeof configSchema>, taken: string) => void][] = [
  ['the port of its data plane', (config, listen) => Object.assign(config.proxy, { listen })],
  ['the port of its forward proxy', (config, listen) => Object.assign(config.proxy, { forward: { listen } })],
  ['the port of its control plane', (config, listen) => Object.assign(config.control, { listen })],
];

afterEach(endAll);

describe.each(causes)('a sidecar that cannot start because %s is taken', (_, useTaken) => {
  it('says so, ends what it began, and starts on the same ledger and ports once that is free', async () => {
    const place = makePlace(settings);
    const first = await startTestSidecar(settings, place);
    await first.stop();
    configure(place, (config) => Object.assign(config.proxy, { listen: new URL(first.proxyUrl).host }));
    const { url, close } = await listeningOn(createServer());
    atEnd(close);
    configure(place, (config) => useTaken(config, new URL(url).host));
    await expect(startTestSidecar(settings, place)).rejects.toMatchObject({ code: 'config_invalid' });
    await close();

    const { sidecar } = await startTestSidecar(settings, place);
    const entries = await Promise.all(
      Array.from({ length: sidecar.ledger.durable().size }, (_, seq) => sidecar.ledger.entry(seq)),
    );
    const stops = entries.filter(({ type }) => type === 'stop').map(({ data }) => data['reason']);
    expect(stops).toEqual(['test', 'could not start']);
  });
});
