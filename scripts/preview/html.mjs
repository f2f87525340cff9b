// Text as HTML.

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text between tags. */
export const escape = (text) => text.replace(/[&<>]/g, (character) => ENTITIES[character]);

/** A link that leaves the page. It tells nobody where from. */
export const link = (url, html) => `<a href="${url.replace(/[&<>"]/g, (character) => ENTITIES[character])}" rel="noreferrer">${html}</a>`;
