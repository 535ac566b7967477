/** Members of the types that are documented, as a client checks them that drops what has another: absent ones pass. Pure. */
import { isAbsent, isRecord } from '../wire/json.ts';

export const isText = (value: unknown): boolean => isAbsent(value) || typeof value === 'string';
export const isNumber = (value: unknown): boolean => isAbsent(value) || typeof value === 'number';
export const isFlag = (value: unknown): boolean => isAbsent(value) || typeof value === 'boolean';
export const isListOf = (value: unknown, isEntry: (entry: unknown) => boolean): boolean =>
  isAbsent(value) || (Array.isArray(value) && value.every(isEntry));

type Check = (value: unknown) => boolean;

/** Members of an object; those of `required` may not be absent. */
export const isRecordOf =
  (members: Readonly<Record<string, Check>>, required: readonly string[] = []): Check =>
  (value) =>
    isAbsent(value) ||
    (isRecord(value) &&
      required.every((name) => !isAbsent(value[name])) &&
      Object.entries(members).every(([name, isMember]) => isMember(value[name])));

/** A list of objects. */
export const isRecordsOf = (
  members: Readonly<Record<string, Check>>,
  required: readonly string[] = [],
): Check => {
  const isAsDocumented = isRecordOf(members, required);
  return (value) => isListOf(value, (entry) => isRecord(entry) && isAsDocumented(entry));
};
