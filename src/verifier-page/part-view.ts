/** One part of an entry: closed until a key was given and the reader asks, then its text. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { LookalikeNote, Recorded } from '../console/drawn/recorded.ts';
import { type BodyText, bodyText } from './body-text.ts';
import type { PartContent } from './stories.ts';
import { sizeText } from './words.ts';

interface PartProps {
  readonly name: string;
  readonly size: number;
  readonly fileName: string;
  readonly canOpen: boolean;
  readonly content: PartContent | null;
  readonly onOpen: () => void;
}

export function PartView(props: PartProps): ComponentChild {
  const { name, size, canOpen, content, onOpen } = props;
  return h('div', { class: 'part' }, [
    h('div', { class: 'part-head' }, [
      h('strong', null, h(Recorded, { text: name })),
      h('span', { class: 'num quiet' }, sizeText(size)),
      canOpen && content === null
        ? h('button', { type: 'button', class: 'button button-quiet', onClick: onOpen }, `Read the ${name}`)
        : content === null &&
          h('span', { class: 'quiet' }, 'encrypted; give the key-encryption key to read it'),
      content?.kind === 'opened' &&
        h(
          'button',
          {
            type: 'button',
            class: 'button button-quiet',
            onClick: () => save(content.bytes, props.fileName),
          },
          'Save the bytes',
        ),
    ]),
    content?.kind === 'erased' &&
      h(
        'p',
        { class: 'quiet' },
        'It was erased, as an entry of this ledger says; every hash over it still stands.',
      ),
    content?.kind === 'refused' && h('p', { class: 'problem' }, h(Recorded, { text: content.why })),
    content?.kind === 'opened' && h(Opened, { bytes: content.bytes }),
  ]);
}

function Opened({ bytes }: { readonly bytes: Uint8Array<ArrayBuffer> }): ComponentChild {
  const [text, setText] = useState<BodyText | null>(null);
  useEffect(() => {
    let isShown = true;
    void bodyText(bytes).then((read) => {
      if (isShown) setText(read);
    });
    return () => {
      isShown = false;
    };
  }, [bytes]);
  if (text === null) return null;
  return [
    text.head !== '' && h('pre', { class: 'source quiet' }, h(Recorded, { text: text.head })),
    h(LookalikeNote, { text: text.body }),
    text.body !== '' && h('pre', { class: 'source' }, h(Recorded, { text: text.body })),
    text.remark !== '' && h('p', { class: 'quiet' }, text.remark),
  ];
}

/** Bytes as a file of no type, so that nothing opens them by itself. */
function save(bytes: Uint8Array<ArrayBuffer>, fileName: string): void {
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(url);
}
