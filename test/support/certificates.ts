/** Real certificates, made by OpenSSL. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CertificateOrder {
  readonly subject: string;
  /** Such as `URI:spiffe://example.com/ada`; '' for none. */
  readonly alternativeNames?: string;
  /** OpenSSL's configuration of what the names refer to. */
  readonly sections?: string;
  /** From now; below 0 it is over already. */
  readonly days?: number;
}

export interface Credential {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  readonly certificate: string;
  /** One that vouches for itself. */
  selfSigned(subject: string): Credential;
  issue(order: CertificateOrder): Credential;
}

let made = 0;

/** An authority whose files lie in `directory`. */
export function makeAuthority(directory: string, name: string): Authority {
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const read = (file: string): string => readFileSync(join(directory, file), 'utf8');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
  );
  return {
    certificate: read(`${name}.pem`),
    selfSigned: (subject) => {
      openssl(
        'req',
        '-x509',
        ...newKey,
        '-keyout',
        'self.key',
        '-out',
        'self.pem',
        '-days',
        '1',
        '-subj',
        subject,
      );
      return { cert: read('self.pem'), key: read('self.key') };
    },
    issue: ({ subject, alternativeNames = '', sections = '', days = 1 }) => {
      made += 1;
      const file = `${name}-${made}`;
      const names = alternativeNames === '' ? '' : `subjectAltName=${alternativeNames}\n`;
      writeFileSync(join(directory, `${file}.ext`), `basicConstraints=CA:FALSE\n${names}${sections}`);
      openssl(
        'req',
        '-new',
        ...newKey,
        '-keyout',
        `${file}.key`,
        '-out',
        `${file}.csr`,
        '-subj',
        subject,
        '-utf8',
      );
      const by = [
        '-CA',
        `${name}.pem`,
        '-CAkey',
        `${name}.key`,
        '-CAcreateserial',
        '-extfile',
        `${file}.ext`,
      ];
      openssl('x509', '-req', '-in', `${file}.csr`, '-out', `${file}.pem`, ...by, '-days', String(days));
      return { cert: read(`${file}.pem`), key: read(`${file}.key`) };
    },
  };
}
