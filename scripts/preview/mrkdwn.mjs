// Slack's markup as HTML: https://docs.slack.dev/messaging/formatting-message-text
//
// What trailhound never sends (mentions, channels, dates, a `<` that isn't escaped) ends the build: a message that holds it is a mistake,
// and a page that hides it another.

import { escape, link } from './html.mjs';

/** The emoji that trailhound sends. Slack leaves names that it doesn't know as they are, and so does this. */
const EMOJI = {
  rotating_light: '🚨',
  red_circle: '🔴',
  large_orange_circle: '🟠',
  large_yellow_circle: '🟡',
  information_source: 'ℹ️',
};

export const emoji = (html) => html.replace(/:([a-z_]+):/g, (code, name) => EMOJI[name] ?? code);

/** Slack knows these three and no others. */
const decode = (text) => text.replace(/&(amp|lt|gt);/g, (_, name) => ({ amp: '&', lt: '<', gt: '>' })[name]);

/** `plain_text`: nothing has a meaning but emoji, and these only where the message says so. */
export function plain(text, { withEmoji = false } = {}) {
  const html = escape(decode(text));
  return withEmoji ? emoji(html) : html;
}

/** Text with markup. `makesLinks`: of addresses that stand there without markup, which Slack does unless a text is `verbatim`. */
export function mrkdwn(text, { makesLinks = false } = {}) {
  // Every second part stands inside of a fence.
  const parts = text.split(/```\n?([\s\S]+?)```\n?/);
  return parts.map((part, place) => (place % 2 ? `<pre class="block">${code(part)}</pre>` : lines(part, makesLinks))).join('');
}

function lines(text, makesLinks) {
  const one = (line) => {
    const quoted = line.replace(/^(&gt;|>) ?/, '');
    return quoted === line ? inline(line, makesLinks) : `<blockquote>${inline(quoted, makesLinks)}</blockquote>`;
  };
  return text.replace(/\n$/, '').split('\n').map(one).join('<br>');
}

const STYLES = [
  ['*', 'strong'],
  ['_', 'em'],
  ['~', 's'],
];

/** The first span in a line that means something, what is before it as text, and so on with what is behind. */
function inline(text, makesLinks) {
  const styles = STYLES.map(([mark, tag]) => styled(text, mark, tag, makesLinks));
  const found = [codeSpan(text), special(text), makesLinks && address(text), ...styles].filter(Boolean);
  if (found.length === 0) return emoji(escape(decode(text)));
  const first = found.reduce((a, b) => (b.index < a.index ? b : a));
  return emoji(escape(decode(text.slice(0, first.index)))) + first.html + inline(text.slice(first.index + first.length), makesLinks);
}

function codeSpan(text) {
  const match = /(?<![\p{L}\p{N}`])`([^`\n]+)`(?![\p{L}\p{N}`])/u.exec(text);
  return match && { index: match.index, length: match[0].length, html: `<code>${code(match[1])}</code>` };
}

function code(text) {
  if (/[<>]/.test(text)) throw new Error(`code holds a < or > that isn't escaped: ${text}`);
  return escape(decode(text));
}

/** Marks count at the borders of words only: the underscores of a_b_c are underscores. */
function styled(text, mark, tag, makesLinks) {
  const escaped = mark === '*' ? '\\*' : mark;
  const match = new RegExp(`(?<![\\p{L}\\p{N}${escaped}])${escaped}(?=[^\\s${escaped}])([^\\n]*?[^\\s${escaped}])${escaped}(?![\\p{L}\\p{N}${escaped}])`, 'u').exec(text);
  return match && { index: match.index, length: match[0].length, html: `<${tag}>${inline(match[1], makesLinks)}</${tag}>` };
}

function special(text) {
  const index = text.indexOf('<');
  if (index < 0) return null;
  const match = /^<(https:\/\/[^|>\s]+)(?:\|([^>]+))?>/.exec(text.slice(index));
  if (!match) throw new Error(`neither a link nor escaped: ${text.slice(index, index + 40)}`);
  return { index, length: match[0].length, html: link(decode(match[1]), escape(decode(match[2] ?? match[1]))) };
}

function address(text) {
  const match = /https?:\/\/[^\s<>|]+/.exec(text);
  return match && { index: match.index, length: match[0].length, html: link(decode(match[0]), escape(decode(match[0]))) };
}
