/**
 * Starts the page. One script is both the page and its worker: the page hands its own text to the worker, so that the
 * file is whole in itself and its policy knows one script. Where no worker can be had, the page does the work.
 */
import { h, render } from 'preact';
import { App } from './app.ts';
import { createDesk } from './desk.ts';
import { createEngine, type Engine } from './engine.ts';
import { engineBehind, serveEngine } from './engine-port.ts';

const nowMs = (): number => performance.now();

function engineFor(source: string): Engine {
  try {
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    return engineBehind(new Worker(url));
  } catch {
    // A browser that gives a page from a file no worker: slower to respond, the same verdict.
    return createEngine(nowMs);
  }
}

if (typeof document === 'undefined') {
  serveEngine(globalThis, nowMs);
} else {
  const root = document.getElementById('page');
  if (root === null) throw new Error('The page has no place to draw into.');
  render(h(App, { desk: createDesk(engineFor(document.currentScript?.textContent ?? '')) }), root);
}
