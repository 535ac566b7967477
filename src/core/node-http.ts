/**
 * What is used of node:http, taken without an import: one reads everything the module exports, and three of its exports
 * (`WebSocket` and the events of one) load Node's own fetch, which takes 7 to 14 MB that nothing here uses.
 */
import process from 'node:process';

export const { createServer, request } = process.getBuiltinModule('node:http');
