/** OpenAPI 3.1 of the control port. A contract test holds it equal to what the server does. */

export const openapi = {
  openapi: '3.1.0',
  info: { title: 'Holdpoint control API', version: '1' },
  paths: {},
};
