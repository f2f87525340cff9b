// An Adaptive Card as HTML, drawn by Microsoft's own renderer with the host configurations of Teams.
//
// It is drawn in light and in dark; the two differ in colours alone and become one, with CSS's light-dark(). What the renderer writes into
// style attributes becomes classes, because most of it repeats.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { JSDOM } from 'jsdom';

const require = createRequire(import.meta.url);
const THEMES = ['light', 'dark'];
const designer = (path) => readFileSync(require.resolve(`adaptivecards-designer/${path}`), 'utf8');

const { window } = new JSDOM('');
for (const name of Object.getOwnPropertyNames(window)) {
  if (/^(HTML|KeyboardEvent$|Node$|document$)/.test(name)) globalThis[name] = window[name];
}
globalThis.window = window;
// jsdom lays nothing out, so it lacks this one.
Object.defineProperty(window.HTMLElement.prototype, 'innerText', {
  set(text) {
    if (text.includes('\n')) throw new Error(`a text run of several lines: ${text}`);
    this.textContent = text;
  },
});

const { AdaptiveCard, HostConfig, SerializationContext } = require('adaptivecards/dist/adaptivecards.js');

const configurations = Object.fromEntries(
  THEMES.map((theme) => [theme, JSON.parse(designer(`lib/hostConfigs/microsoft-teams-${theme}.json`))]),
);

const classes = new Map();

/** The body of a request to the webhook of a workflow. */
export function teams(message) {
  const card = message.attachments[0].content;
  const [light, dark] = THEMES.map((theme) => draw(card, theme));
  merge(light, dark);
  const buttons = [...light.querySelectorAll('button')];
  if (buttons.length !== card.actions.length) throw new Error(`${card.actions.length} actions, ${buttons.length} buttons`);
  buttons.forEach((button, place) => replaceByLink(button, card.actions[place]));
  return light.outerHTML.replaceAll('</div>', '</div>\n');
}

/** What the classes of all cards so far mean. */
export function styles() {
  return [...classes].map(([style, name]) => `.${name} { ${style} }`).join('\n');
}

function draw(content, theme) {
  const card = new AdaptiveCard();
  card.hostConfig = new HostConfig(configurations[theme]);
  const context = new SerializationContext();
  card.parse(content, context);
  const events = Array.from({ length: context.eventCount }, (_, place) => context.getEventAt(place));
  const wrong = [...events, ...card.validateProperties().validationEvents].map((event) => event.message);
  if (wrong.length) throw new Error(`the renderer of Adaptive Cards says: ${wrong.join('; ')}`);
  return card.render();
}

/** Gives the one element the colours of both, and below it. */
function merge(light, dark) {
  if (light.tagName !== dark.tagName || light.children.length !== dark.children.length) throw new Error('light and dark differ in more than colours');
  if (light.style.length) {
    const style = both(light.style, dark.style);
    if (!classes.has(style)) classes.set(style, `ac${classes.size + 1}`);
    light.classList.add(classes.get(style));
    light.removeAttribute('style');
  }
  light.removeAttribute('tabindex');
  [...light.children].forEach((child, place) => merge(child, dark.children[place]));
}

function both(light, dark) {
  const one = (name) => {
    const [a, b] = [light, dark].map((style) => style.getPropertyValue(name));
    if (a !== b && !name.endsWith('color')) throw new Error(`${name} is ${a} in light and ${b} in dark`);
    return `${name}: ${a === b ? a : `light-dark(${a}, ${b})`};`;
  };
  return [...light].map(one).join(' ');
}

/** A button does nothing on a page without script; a link does what it would. */
function replaceByLink(button, action) {
  if (action.type !== 'Action.OpenUrl') throw new Error(`an action of type ${action.type}: scripts/preview/teams.mjs doesn't know what it does`);
  const link = window.document.createElement('a');
  link.className = button.className;
  link.setAttribute('href', action.url);
  link.setAttribute('rel', 'noreferrer');
  link.append(...button.childNodes);
  button.replaceWith(link);
}
