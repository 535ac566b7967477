/**
 * Tells the keys of a text that is being written from those that do something. A field can go while somebody writes in it,
 * as its hold is ruled on elsewhere or runs out: the rest of the text is no command then, on another hold least of all.
 */

export interface Press {
  readonly key: string;
  /** With Ctrl, ⌘ or Alt. */
  readonly isModified: boolean;
  /** What it is typed into: a text of many lines, of one, or nothing that takes text. */
  readonly into: 'text' | 'line' | 'nothing';
}

/** `written` into a field; `lost` is the rest of what was; `none` changes nothing. */
export type Heard = 'written' | 'lost' | 'command' | 'none';

export interface Writing {
  /** `isGone` says whether the field that was written in last is there no more. */
  hear(press: Press, isGone: boolean): Heard;
  /** What is pressed next is no rest of a text. */
  end(): void;
}

const held: readonly string[] = ['Shift', 'Control', 'Alt', 'AltGraph', 'Meta', 'CapsLock'];
const writes: readonly string[] = ['Enter', 'Backspace', 'Delete', 'Dead', 'Process'];

export function createWriting(): Writing {
  let isWriting = false;
  return {
    hear: ({ key, isModified, into }, isGone) => {
      if (held.includes(key)) return 'none';
      const goesOn = !isModified && (key.length === 1 || writes.includes(key));
      if (into !== 'nothing') {
        isWriting = goesOn && (into === 'text' || key !== 'Enter');
        return 'written';
      }
      if (isWriting && isGone && goesOn) return 'lost';
      if (isModified) return 'none';
      isWriting = false;
      return 'command';
    },
    end: () => {
      isWriting = false;
    },
  };
}
