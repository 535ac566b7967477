/** Starts the console: one desk, drawn into the page, listening to keys and to the address. */
import { h, render } from 'preact';
import { App } from './app.ts';
import { startClock } from './desk/clock.ts';
import { createDesk } from './desk/desk.ts';
import { keepFocus } from './desk/focus.ts';
import { listenToPlace } from './desk/follow-place.ts';
import { listenToKeys } from './desk/keys.ts';

const root = document.getElementById('console');
if (root === null) throw new Error('The page has no place for the console.');

const desk = createDesk(localStorage);
startClock(desk.nowMs);
listenToPlace(desk);
listenToKeys(desk);
keepFocus(root);
render(h(App, { desk }), root);
