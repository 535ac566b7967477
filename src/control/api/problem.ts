/** Refusals of the control port: RFC 9457 problem details with a closed code and what to do next. */
import { z } from 'zod';
import { type ErrorCode, httpStatusByCode } from '../../core/errors.ts';

const codes = Object.keys(httpStatusByCode).filter(isErrorCode);

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(httpStatusByCode, code);
}

export const problemCode = z.enum(codes);

export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().describe('What happened, for people.'),
    code: problemCode.describe('What happened, for programs; the set only grows.'),
    next: z.string().describe("What the caller can do about it; may be ''."),
  })
  .meta({ id: 'Problem', description: 'A refusal, RFC 9457.' });
export type Problem = z.output<typeof problemSchema>;
