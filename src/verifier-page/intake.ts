/** Where files are dropped or chosen. The whole page takes a drop; this says so, and is there for the keyboard. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Desk } from './desk.ts';

interface IntakeProps {
  readonly desk: Desk;
  readonly isCompact: boolean;
}

export function Intake({ desk, isCompact }: IntakeProps): ComponentChild {
  const isOver = useDrops(desk);
  const className = ['intake', isCompact ? 'intake-compact' : '', isOver ? 'intake-over' : ''].join(' ');
  return h('section', { class: className, 'aria-label': 'Files to verify' }, [
    h('div', null, [
      h('p', { class: 'intake-title' }, isCompact ? 'Drop another file' : 'Drop an export of a ledger here'),
      !isCompact &&
        h('p', { class: 'quiet' }, [
          'The file that ',
          h('code', null, 'holdpoint ledger export'),
          ' wrote, the segments of a journal together, or the proof of one entry. Drop what you keep yourself as well: the verifier key, a checkpoint, the high-water mark.',
        ]),
    ]),
    h('label', { class: 'button button-main' }, [
      'Choose files',
      h('input', {
        type: 'file',
        class: 'sr-only',
        multiple: true,
        onChange: (event: Event) => {
          const input = event.currentTarget;
          if (!(input instanceof HTMLInputElement)) return;
          void desk.take([...(input.files ?? [])]);
          input.value = '';
        },
      }),
    ]),
  ]);
}

/** Takes what is dropped anywhere on the page; true while something is held over it. */
function useDrops(desk: Desk): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const over = (event: DragEvent): void => {
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      setOver(false);
      void desk.take([...(event.dataTransfer?.files ?? [])]);
    };
    document.addEventListener('dragover', over);
    document.addEventListener('dragleave', leave);
    document.addEventListener('drop', drop);
    return () => {
      document.removeEventListener('dragover', over);
      document.removeEventListener('dragleave', leave);
      document.removeEventListener('drop', drop);
    };
  }, [desk]);
  return isOver;
}
