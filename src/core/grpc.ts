/** What is needed of gRPC (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) to say no in it. Pure. */
import { type RawHeaders, valuesOf } from './http-message.ts';

/** True for a request in gRPC, or in what browsers speak in its place: its messages are not JSON, and are framed. */
export function speaksGrpc(headers: RawHeaders): boolean {
  return valuesOf(headers, 'content-type').some((value) => /^\s*application\/grpc\b/i.test(value));
}

/** What the protocol's own table says of a status that no gRPC server sent; 400 says that it is not spoken here. */
const statusByHttp: Readonly<Record<number, number>> = {
  400: 12,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};
const unknownStatus = 2;

/** The trailers with which a call ends that was refused with this HTTP status. */
export function grpcTrailers(httpStatus: number, message: string): string[] {
  const status = statusByHttp[httpStatus] ?? unknownStatus;
  return ['grpc-status', String(status), 'grpc-message', percentEncoded(message)];
}

/** Bytes of UTF-8 that are no printable ASCII, and `%`, as `%XX`. */
function percentEncoded(message: string): string {
  return [...Buffer.from(message)]
    .map((byte) =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
}
