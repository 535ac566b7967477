/** An upstream to which no connection comes about: why, in words, and who does what about it. */
import { HoldpointError, messageOf } from '../core/errors.ts';

/** The refusal of a call to it; `error` is what Node said. */
export function unreachable(error: unknown): HoldpointError {
  const [what, next] = reasonOf(error);
  return new HoldpointError('upstream_unreachable', `The upstream cannot be reached: ${what}.`, next, error);
}

/** What is a matter of this machine's or of its settings has words of its own: the provider is not to be blamed for it. */
function reasonOf(error: unknown): readonly [what: string, next: string] {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EMFILE':
    case 'ENFILE':
      return [
        `Holdpoint has as many files and connections open as the system lets it (${code})`,
        'Retry the call. If it stays so, whoever runs Holdpoint raises that limit (ulimit -n), or finds out who keeps so many.',
      ];
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return [
        `nobody whom Holdpoint trusts vouches for its certificate (${code})`,
        'If it is the right one, whoever runs Holdpoint names its authority in NODE_EXTRA_CA_CERTS and starts it again.',
      ];
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return [
        `it does not speak TLS (${code})`,
        'Whoever runs Holdpoint checks whether `url` below `upstreams` has to begin with http://, and its port.',
      ];
    default:
      return [
        messageOf(error),
        'Retry the call. If it stays so, whoever runs Holdpoint checks `url` below `upstreams` and the way there.',
      ];
  }
}
