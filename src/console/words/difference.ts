/** What changed between two texts, by lines and, inside a changed line, by words. Pure. */

export interface Change {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

export interface LineChange {
  readonly kind: Change['kind'];
  /** The line in parts; `same` parts of a changed line stand in both versions. */
  readonly parts: readonly Change[];
}

/** Beyond this many comparisons everything between the common ends counts as replaced. */
const comparisonsMax = 2_000_000;
/** Of both texts together, where a page compares them unasked. */
const comparedCharsMax = 400_000;

/** Lines of both texts in reading order, removed before added. */
export function differenceOf(before: string, after: string): readonly LineChange[] {
  const changes = sequenceDifference(before.split('\n'), after.split('\n'));
  const lines: LineChange[] = [];
  for (let at = 0; at < changes.length; ) {
    const change = changes[at];
    if (change === undefined) break;
    if (change.kind === 'same') {
      lines.push({ kind: 'same', parts: [change] });
      at += 1;
      continue;
    }
    const removed = runOf(changes, at, 'removed');
    const added = runOf(changes, at + removed.length, 'added');
    lines.push(...replacedLines(removed, added));
    at += removed.length + added.length;
  }
  return lines;
}

/** The same, with no line where nothing changed; null where both are too long for a page to compare them in time. */
export function changedLines(before: string, after: string): readonly LineChange[] | null {
  if (before.length + after.length > comparedCharsMax) return null;
  const lines = differenceOf(before, after);
  return isChanged(lines) ? lines : [];
}

export function isChanged(lines: readonly LineChange[]): boolean {
  return lines.some(({ kind }) => kind !== 'same');
}

function runOf(changes: readonly Change[], from: number, kind: Change['kind']): readonly string[] {
  const end = changes.findIndex((change, i) => i >= from && change.kind !== kind);
  return changes.slice(from, end < 0 ? undefined : end).map(({ text }) => text);
}

/** As many lines out as in: each is compared with its successor, word by word. */
function replacedLines(removed: readonly string[], added: readonly string[]): readonly LineChange[] {
  if (removed.length !== added.length) {
    return [
      ...removed.map((text) => wholeLine('removed', text)),
      ...added.map((text) => wholeLine('added', text)),
    ];
  }
  const words = removed.map((text, i) => sequenceDifference(wordsOf(text), wordsOf(added[i] ?? '')));
  return [
    ...words.map((parts) => ({
      kind: 'removed' as const,
      parts: parts.filter(({ kind }) => kind !== 'added'),
    })),
    ...words.map((parts) => ({
      kind: 'added' as const,
      parts: parts.filter(({ kind }) => kind !== 'removed'),
    })),
  ];
}

function wholeLine(kind: 'removed' | 'added', text: string): LineChange {
  return { kind, parts: [{ kind, text }] };
}

function wordsOf(line: string): readonly string[] {
  return line.match(/[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu) ?? [];
}

/** Longest common subsequence, after the ends both have in common. */
function sequenceDifference(before: readonly string[], after: readonly string[]): readonly Change[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let endBefore = before.length;
  let endAfter = after.length;
  while (endBefore > start && endAfter > start && before[endBefore - 1] === after[endAfter - 1]) {
    endBefore -= 1;
    endAfter -= 1;
  }
  const same = (text: string): Change => ({ kind: 'same', text });
  return [
    ...before.slice(0, start).map(same),
    ...middleDifference(before.slice(start, endBefore), after.slice(start, endAfter)),
    ...before.slice(endBefore).map(same),
  ];
}

function middleDifference(before: readonly string[], after: readonly string[]): readonly Change[] {
  const removed = (text: string): Change => ({ kind: 'removed', text });
  const added = (text: string): Change => ({ kind: 'added', text });
  const width = after.length + 1;
  if (before.length === 0 || after.length === 0 || before.length * after.length > comparisonsMax)
    return [...before.map(removed), ...after.map(added)];
  // lengths[i * width + j]: longest common subsequence of before[i..] and after[j..].
  const lengths = new Uint32Array((before.length + 1) * width);
  const lengthAt = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] =
        before[i] === after[j]
          ? lengthAt(i + 1, j + 1) + 1
          : Math.max(lengthAt(i + 1, j), lengthAt(i, j + 1));
    }
  }
  const changes: Change[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length && j < after.length) {
    const old = before[i] ?? '';
    if (old === after[j]) {
      changes.push({ kind: 'same', text: old });
      i += 1;
      j += 1;
    } else if (lengthAt(i + 1, j) >= lengthAt(i, j + 1)) {
      changes.push(removed(old));
      i += 1;
    } else {
      changes.push(added(after[j] ?? ''));
      j += 1;
    }
  }
  return [...changes, ...before.slice(i).map(removed), ...after.slice(j).map(added)];
}
