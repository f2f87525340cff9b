// A custom notification of Amazon Q Developer in chat applications as HTML.
//
// AWS documents the members and that it "renders notifications in the target chat platform's markdown":
// https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html. How Amazon Q lays them out is not documented, so this is an
// approximation.

import { escape, link } from './html.mjs';
import { mrkdwn } from './mrkdwn.mjs';

/** As Slack shows it. */
export function inSlack({ content }) {
  return layout(content, (text) => mrkdwn(text, { makesLinks: true }));
}

/** As a card of Teams shows it, if Amazon Q hands the text on as it is. */
export function inTeams({ content }) {
  return layout(content, markdown);
}

function layout({ textType, title, description, nextSteps, keywords, ...others }, markup) {
  const unknown = Object.keys(others);
  if (textType !== 'client-markdown' || unknown.length) throw new Error(`text of type ${textType}, with ${unknown}: scripts/preview/chat.mjs doesn't show that`);
  const steps = nextSteps.map((step) => `<li>${markup(step)}</li>`).join('');
  const tags = keywords.map((word) => `<span>${markup(word)}</span>`).join(' ');
  return [
    `<h4 class="header">${markup(title)}</h4>`,
    `<div class="section">${markup(description)}</div>`,
    steps && `<div class="section"><strong>Next steps</strong><ol>${steps}</ol></div>`,
    tags && `<div class="keywords">${tags}</div>`,
  ]
    .filter(Boolean)
    .join('\n');
}

/**
 * The subset of Markdown that cards of Teams know: bold, italic, lists, links. No code, and outside of lists a line ends at an empty line
 * alone. https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/cards-format
 */
export function markdown(text) {
  const paragraphs = text.split(/\n{2,}/).filter((paragraph) => paragraph.trim());
  const html = paragraphs.map((paragraph) => inline(paragraph.replaceAll('\n', ' ')));
  return html.length > 1 ? html.map((paragraph) => `<p>${paragraph}</p>`).join('\n') : html.join('');
}

function inline(text) {
  // Entities are Markdown's, too. Escaping makes them anew, so that none of them ends as an element.
  const decoded = text.replace(/&(amp|lt|gt);/g, (_, name) => ({ amp: '&', lt: '<', gt: '>' })[name]);
  return escape(decoded)
    .replace(/\[([^\]]+)\]\((https:\/\/[^)\s]+)\)/g, (_, name, url) => link(url.replaceAll('&amp;', '&'), name))
    .replace(/(?<![">\w])https:\/\/[^\s<]+/g, (url) => link(url.replaceAll('&amp;', '&'), url))
    .replace(/(?<![\w*])\*\*(?=\S)(.+?)(?<=\S)\*\*(?![\w*])/g, '<strong>$1</strong>')
    .replace(/(?<![\w*])\*(?=\S)([^*]+?)(?<=\S)\*(?![\w*])/g, '<em>$1</em>')
    .replace(/(?<![\w_])_(?=\S)([^_]+?)(?<=\S)_(?![\w_])/g, '<em>$1</em>');
}
