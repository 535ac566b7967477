/** How far the verification is, and the way to stop it. */
import { type ComponentChild, h } from 'preact';
import type { Desk } from './desk.ts';
import type { Progress } from './engine.ts';
import { countText, sizeText } from './words.ts';

export function Working({
  desk,
  progress,
}: {
  readonly desk: Desk;
  readonly progress: Progress;
}): ComponentChild {
  const { bytes, bytesTotal, entries, elapsedMs } = progress;
  const rate = elapsedMs < 200 ? '' : `, ${countText(Math.round((entries / elapsedMs) * 1000))} entries/s`;
  return h('section', { class: 'working', 'aria-label': 'Progress' }, [
    h('div', { class: 'working-line' }, [
      h('strong', null, 'Verifying'),
      h(
        'span',
        { class: 'num quiet' },
        `${sizeText(bytes)} of ${sizeText(bytesTotal)}, ${countText(entries)} entries${rate}`,
      ),
      h('span', { class: 'spacer' }),
      h('button', { type: 'button', class: 'button', onClick: desk.cancel }, 'Cancel'),
    ]),
    h('progress', { value: bytes, max: Math.max(1, bytesTotal), 'aria-label': 'Bytes read' }),
  ]);
}
