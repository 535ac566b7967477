/** The keys, in a dialog of the browser's own: it holds the focus and closes with Esc. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Desk } from './desk/desk.ts';
import { keyHelp } from './desk/keys.ts';

export function Help({ desk, shown }: { readonly desk: Desk; readonly shown: boolean }): ComponentChild {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (shown && dialog.current?.open === false) dialog.current.showModal();
    if (!shown) dialog.current?.close();
  }, [shown]);
  return h(
    'dialog',
    { ref: dialog, class: 'help', 'aria-labelledby': 'help-title', onClose: () => desk.setHelp(false) },
    [
      h('h2', { id: 'help-title' }, 'Keys'),
      h(
        'dl',
        null,
        keyHelp.map(({ keys, does }) => [
          h(
            'dt',
            { key: `key-${does}` },
            keys.map((key) => h('kbd', { key }, key)),
          ),
          h('dd', { key: does }, does),
        ]),
      ),
      h('button', { type: 'button', class: 'button', onClick: () => desk.setHelp(false) }, 'Close'),
    ],
  );
}
