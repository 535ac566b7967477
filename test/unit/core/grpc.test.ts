import { describe, expect, test } from 'vitest';
import { grpcTrailers, speaksGrpc } from '../../../src/core/grpc.ts';

describe('gRPC', () => {
  test.each([
    ['application/grpc', true],
    [' Application/gRPC+proto; x=1', true],
    ['application/grpc-web-text', true],
    ['application/grpcish', false],
    ['application/json', false],
  ])('is known by its type: %s', (type, expected) => {
    expect(speaksGrpc(['content-type', type])).toBe(expected);
  });

  test('is spoken where any of several types says so', () => {
    expect(speaksGrpc(['Content-Type', 'application/json', 'content-type', 'application/grpc'])).toBe(true);
  });

  test.each([
    [400, '12'],
    [403, '7'],
    [404, '12'],
    [413, '2'],
    [503, '14'],
  ])('has a status of its own for %i', (httpStatus, expected) => {
    expect(grpcTrailers(httpStatus, '').slice(0, 2)).toEqual(['grpc-status', expected]);
  });

  test('says its message in ASCII that can be undone', () => {
    const message = 'No: 100 %\r\n“nothing” went out ✓ ~';
    const [, , name, said = ''] = grpcTrailers(400, message);
    expect(name).toBe('grpc-message');
    expect(said).toBe('No: 100 %25%0D%0A%E2%80%9Cnothing%E2%80%9D went out %E2%9C%93 ~');
    expect(decodeURIComponent(said)).toBe(message);
  });
});
