// What the page's renderers have to get right, and what they have to refuse.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { markdown } from './chat.mjs';
import { pretty } from './json.mjs';
import { mrkdwn } from './mrkdwn.mjs';
import { slack } from './slack.mjs';

const section = (text) => ({ type: 'section', text: { type: 'mrkdwn', text, verbatim: true } });

test('markup of Slack', () => {
  for (const [text, html] of [
    ['*Who*\n`alice`', '<strong>Who</strong><br><code>alice</code>'],
    ['_a `b` c_ ~d~', '<em>a <code>b</code> c</em> <s>d</s>'],
    ['a_b_c 2*3*4 * x *', 'a_b_c 2*3*4 * x *'],
    ['`*a* :red_circle: &lt;!channel&gt; &amp;lt;`', '<code>*a* :red_circle: &lt;!channel&gt; &amp;lt;</code>'],
    ['x\n```a *b*\n  c```', 'x<pre class="block">a *b*\n  c</pre>'],
    [':red_circle: arn:aws:sqs', '🔴 arn:aws:sqs'],
    ['<https://a.example/?b=1&amp;c=2|d>', '<a href="https://a.example/?b=1&amp;c=2" rel="noreferrer">d</a>'],
    ['&gt; quoted', '<blockquote>quoted</blockquote>'],
    ['https://a.example', 'https://a.example'],
  ]) {
    assert.equal(mrkdwn(text), html);
  }
  assert.match(mrkdwn('see https://a.example', { makesLinks: true }), /^see <a href="https:\/\/a\.example"/);
});

test('what would mention or hide is refused', () => {
  for (const text of ['<!channel>', '<@U0EXAMPLE>', '`<!here>`', 'a < b', '<http://a.example|b>']) {
    assert.throws(() => mrkdwn(text), Error, text);
  }
});

test('blocks and members without a drawing are refused', () => {
  const message = (block) => ({ text: 'x', blocks: [block] });
  assert.match(slack(message(section('x'))).html, /x/);
  for (const block of [
    { type: 'divider' },
    { ...section('x'), accessory: {} },
    { type: 'header', text: { type: 'mrkdwn', text: 'x' } },
    section('x'.repeat(3001)),
    section(''),
  ]) {
    assert.throws(() => slack(message(block)), Error, JSON.stringify(block));
  }
  assert.throws(() => slack({ ...message(section('x')), attachments: [] }), /attachments/);
});

test('plain text of Slack has no markup', () => {
  const header = { type: 'header', text: { type: 'plain_text', text: ':red_circle: *a* <!channel> &lt;', emoji: true } };
  assert.equal(slack({ text: 'x', blocks: [header] }).html, '<h4 class="header">🔴 *a* &lt;!channel&gt; &lt;</h4>');
});

test('cards of Teams know no code, and lines run on', () => {
  assert.equal(markdown('*Who* `a_b_c`\n**x**\n\n&lt;b&gt;'), '<p><em>Who</em> `a_b_c` <strong>x</strong></p>\n<p>&lt;b&gt;</p>');
});

test('JSON is what it was', () => {
  const value = { a: ['x'.repeat(200), { b: null }], 'c"': [1, true, ''] };
  assert.deepEqual(JSON.parse(pretty(value)), value);
  assert.equal(pretty({ a: [1] }), '{"a":[1]}');
});
