// The page around the messages. tests/it/preview.rs reads the messages back from `data-message` and `data-about`.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { inSlack, inTeams } from './chat.mjs';
import { escape } from './html.mjs';
import { pretty } from './json.mjs';
import { slack } from './slack.mjs';
import { styles, teams } from './teams.mjs';

const beside = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');
const require = createRequire(import.meta.url);
const version = (name) => `${name} ${require(`${name}/package.json`).version}`;

const post = (app, name, body) => `<div class="post ${name}">
<div class="avatar" aria-hidden="true">${app[0]}</div>
<div class="body">
<div class="who"><b>${app}</b> <span class="badge">APP</span></div>
${body}
</div>
</div>`;

const CHANNELS = [
  {
    id: 'slack',
    name: 'Slack',
    about: `From the notifier, as Block Kit. Drawn by a renderer of our own for just the blocks that trailhound sends
(<code>scripts/preview/slack.mjs</code>). Slack may fold what is long behind “See more”; here everything is open.`,
    show(message) {
      const { notification, html } = slack(message);
      return `${post('trailhound', 'slack', html)}\n<p class="notification">In a notification: <b>${notification}</b></p>`;
    },
  },
  {
    id: 'teams',
    name: 'Microsoft Teams',
    about: `From the notifier, as an Adaptive Card. Drawn by Microsoft’s own renderer (${version('adaptivecards')}) with the light and dark
host configurations of Teams (${version('adaptivecards-designer')}). Teams itself draws with newer code: fonts, spaces and buttons differ a little.`,
    show: (message) => post('Workflows', 'teams', `<div class="card">${teams(message)}</div>`),
  },
  {
    id: 'chat',
    name: 'Amazon Q Developer in chat applications',
    about: `<strong>An approximation.</strong> AWS documents what Amazon Q takes, and that it hands the text to Slack or Teams in the markup of
each, but not how it lays a notification out. Drawn by <code>scripts/preview/chat.mjs</code>. Many alerts at once come one by one here; alarms of CloudWatch Amazon Q shows in a form of its own.`,
    show: (message) =>
      `${post('Amazon Q', 'slack', inSlack(message))}
<details><summary>In Teams, if Amazon Q hands the text on as it is</summary>
${post('Amazon Q', 'teams', `<div class="card markdown">${inTeams(message)}</div>`)}
</details>`,
  },
];

/** `alerts`: what each shows and its messages, by channel. */
export function page(alerts) {
  const channels = CHANNELS.map((channel) => ({ ...channel, alerts: alerts.filter((alert) => alert.messages[channel.id]) }));
  const sections = channels.map(section).join('\n');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Alerts in chat - trailhound</title>
<style>
${beside('style.css')}${styles()}
</style>
</head>
<body>
<header>
<h1>Alerts in chat</h1>
<p>What trailhound’s alerts look like in Slack, Microsoft Teams, and Amazon Q Developer in chat applications. The messages are what trailhound
sends for its <a href="../../events/README.md">sample events</a> and a few more, each with its JSON. Accounts, names and addresses are made up. Made by
<code>make preview</code> with ${version('adaptivecards')} and ${version('adaptivecards-designer')} for Teams, and with small renderers of our own for Slack and
Amazon Q (<code>scripts/preview/</code>); a test holds the JSON against what trailhound sends now.
<a href="../alerts.md">docs/alerts.md</a> says what an alert holds, <a href="../channels.md">docs/channels.md</a> how these channels are set up. To
see an alert of your own rule: <code>trailhound alert preview RULE</code>; what a channel is sent, many at once too:
<code>trailhound notify --print</code>.</p>
<fieldset>
<legend>Colours</legend>
<label><input type="radio" name="theme" value="system" checked> as the system has them</label>
<label><input type="radio" name="theme" value="light"> light</label>
<label><input type="radio" name="theme" value="dark"> dark</label>
</fieldset>
</header>
<nav aria-label="Alerts">
${channels.map(contents).join('\n')}
</nav>
<main>
${sections}
</main>
</body>
</html>
`;
}

const contents = ({ id, name, alerts }) => `<div><a href="#${id}"><b>${name}</b></a>
<ul>${alerts.map((alert) => `<li><a href="#${id}-${alert.id}">${escape(alert.name)}</a></li>`).join('')}</ul></div>`;

const section = (channel) => `<section id="${channel.id}">
<h2>${channel.name}</h2>
<p>${channel.about}</p>
${channel.alerts.map((alert) => article(channel, alert)).join('\n')}
</section>`;

function article(channel, { id, name, about, messages }) {
  const message = messages[channel.id];
  try {
    return `<article id="${channel.id}-${id}">
<h3>${escape(name)}</h3>
<p data-about="${id}">${escape(about)}</p>
${channel.show(message)}
<details class="json"><summary>JSON</summary><pre data-message="${id}/${channel.id}">${escape(pretty(message))}</pre></details>
</article>`;
  } catch (error) {
    throw new Error(`the message “${name}” for ${channel.name} can't be drawn: ${error.message}`, { cause: error });
  }
}
