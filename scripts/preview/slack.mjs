// Slack's Block Kit as HTML: the blocks that trailhound sends, each with all of its members. Anything else ends the build.
//
// Why not a package: slack-blocks-to-jsx 1.1.1, the one that is kept, shows a section with `verbatim` without any markup, reads markup
// in `plain_text`, and makes a mention of `&lt;!channel&gt;`.

import { mrkdwn, plain } from './mrkdwn.mjs';

const MOST_BLOCKS = 50;

/** The body of a request to an incoming webhook. A notification has no markup. */
export function slack(message) {
  only(message, 'text', 'blocks');
  if (message.blocks.length > MOST_BLOCKS) throw new Error(`Slack takes ${MOST_BLOCKS} blocks, not ${message.blocks.length}`);
  return { notification: mrkdwn(message.text).replace(/<[^>]+>/g, ''), html: message.blocks.map(block).join('\n') };
}

function block(block) {
  switch (block.type) {
    case 'header':
      only(block, 'type', 'text');
      return `<h4 class="header">${text(block.text, 150, ['plain_text'])}</h4>`;
    case 'section':
      return `<div class="section">${section(block)}</div>`;
    case 'context':
      only(block, 'type', 'elements');
      return `<div class="context">${block.elements.map((element) => `<span>${text(element, 3000, ['mrkdwn'])}</span>`).join('')}</div>`;
    default:
      throw new Error(`a block of type ${block.type}: scripts/preview/slack.mjs doesn't know how Slack shows it`);
  }
}

function section(section) {
  if (!section.fields) {
    only(section, 'type', 'text', 'expand');
    return text(section.text, 3000);
  }
  only(section, 'type', 'fields');
  if (section.fields.length > 10) throw new Error(`Slack takes 10 fields, not ${section.fields.length}`);
  return `<div class="fields">${section.fields.map((field) => `<div>${text(field, 2000)}</div>`).join('')}</div>`;
}

function text(object, most, types = ['mrkdwn', 'plain_text']) {
  if (!types.includes(object.type)) throw new Error(`a text of type ${object.type} where Slack takes ${types.join(' or ')}`);
  if (!object.text || object.text.length > most) throw new Error(`Slack takes 1 to ${most} characters: ${object.text}`);
  if (object.type === 'plain_text') {
    only(object, 'type', 'text', 'emoji');
    return plain(object.text, { withEmoji: object.emoji });
  }
  only(object, 'type', 'text', 'verbatim');
  return mrkdwn(object.text, { makesLinks: !object.verbatim });
}

function only(object, ...known) {
  const unknown = Object.keys(object).filter((member) => !known.includes(member));
  if (unknown.length) throw new Error(`${object.type ?? 'the message'} has ${unknown.join(', ')}: scripts/preview/slack.mjs doesn't show that`);
}
