/** Members of the types that are documented, as a client checks them that drops what has another: absent ones pass. Pure. */
import { isAbsent } from '../wire/json.ts';

export const isText = (value: unknown): boolean => isAbsent(value) || typeof value === 'string';
export const isNumber = (value: unknown): boolean => isAbsent(value) || typeof value === 'number';
export const isFlag = (value: unknown): boolean => isAbsent(value) || typeof value === 'boolean';
export const isListOf = (value: unknown, isEntry: (entry: unknown) => boolean): boolean =>
  isAbsent(value) || (Array.isArray(value) && value.every(isEntry));
