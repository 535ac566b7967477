/**
 * Makes the verifier one HTML file: script and styles inline, under a policy that names them by hash and allows no
 * connection of any kind. Needs the bundler among the development dependencies; `npm run build` runs it once.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const styles = ['../console/styles/console.css', './page.css'];

/** The file's text. Throws what the bundler throws, or that it is not installed. */
export async function bundleVerifierPage(): Promise<string> {
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({ input: here('./main.ts'), platform: 'browser' });
  const { output } = await bundle.generate({ format: 'iife', minify: true, comments: { legal: true } });
  await bundle.close();
  const [{ code }, ...others] = output;
  if (others.length > 0) throw new Error('the page was bundled into more than one script');
  // Inside a script element only these two sequences mean anything; in JavaScript `\` before them changes nothing.
  const script = code.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
  const style = styles.map((name) => readFileSync(here(name), 'utf8')).join('\n');
  const policy = [
    "default-src 'none'",
    `script-src ${sourceOf(script)}`,
    `style-src ${sourceOf(style)}`,
    'worker-src blob:',
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return readFileSync(here('./page.html'), 'utf8')
    .replace('@policy@', () => policy)
    .replace('<!--styles-->', () => `<style>${style}</style>`)
    .replace('<!--script-->', () => `<script>${script}</script>`);
}

/** As a content security policy names an inline element. */
function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
