// Draws the page: node build.mjs MESSAGES PAGE. MESSAGES is what tests/it/preview.rs writes.

import { readFileSync, writeFileSync } from 'node:fs';

import { page } from './page.mjs';

const [messages, target] = process.argv.slice(2);
const html = page(JSON.parse(readFileSync(messages, 'utf8')));
writeFileSync(target, html);
console.log(`${target}: ${Math.ceil(html.length / 1024)} KB`);
