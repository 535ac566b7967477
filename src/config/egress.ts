/** The part of the configuration file about the way out of the network. */
import { z } from 'zod';
import { isHostForm } from '../core/direct-hosts.ts';
import { secret } from './secret.ts';

/** Scheme, host and port: what else a URL may have would not be sent, and a password in it would be logged. */
function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === '' && pathname === '/';
}

export const egressSchema = z
  .strictObject({
    proxy: z
      .string()
      .refine(
        isProxyUrl,
        'expected http://host:port or https://host:port alone; user and password have their place in authorization',
      )
      .describe(
        'The forward proxy that opens every TLS connection to others (CONNECT): to upstreams, anchors, receivers and the OpenID provider. Nothing goes around it.',
      ),
    authorization: secret
      .optional()
      .describe('The whole value of the header Proxy-Authorization, such as `Basic dXNlcjpwYXNz`.'),
    except: z
      .array(
        z
          .string()
          .max(253)
          .refine(
            isHostForm,
            'expected a name such as internal.example.com, an address, or a range such as 10.0.0.0/8',
          ),
      )
      .max(256)
      .default([])
      .describe(
        'Hosts that are reached directly, as NO_PROXY has them: a name means also what is below it, and names are not looked up. This machine always is.',
      ),
  })
  .optional();
