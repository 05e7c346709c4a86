/**
 * Runs a page of docs/findings.md in Chromium, and prints what it writes to the console.
 *
 *     node page_program.mjs FOLDER FILE LINES
 *
 * FOLDER has the packages, which stand for the addresses of the page's scripts; it ends after so many
 * LINES, or where the page fails.
 */

import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { launch } from "../../conformance/web/browser.mjs";

const [packages, file, lines] = process.argv.slice(2);
const ADDRESS = /^https:\/\/cdn\.jsdelivr\.net\/npm\/((?:@[^/]+\/)?[^@/]+)@[\d.]+\/(.*)$/;
const TYPES = { ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm" };
const browser = await launch(packages, true);
const page = await browser.newPage();
let left = Number(lines);

/** @param {number} code */
async function end(code) {
  await browser.close();
  process.exit(code);
}

await page.setRequestInterception(true);
page.on("request", (request) => {
  const [, name, rest] = ADDRESS.exec(request.url()) ?? [];
  if (!name) return request.continue();
  return request.respond({
    body: readFileSync(path.join(packages, "node_modules", name, rest)),
    contentType: TYPES[path.extname(rest)],
    headers: { "Access-Control-Allow-Origin": "*" },
  });
});
page.on("console", async (line) => {
  if (line.type() !== "log") return;
  console.log(line.text());
  if (--left === 0) await end(0);
});
page.on("pageerror", async (error) => {
  console.error(error.message);
  await end(1);
});
await page.goto(pathToFileURL(file));
