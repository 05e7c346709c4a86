/**
 * An engine of the suite's protocol (docs/protocol.md): a library that computes in Chromium.
 *
 *     node engine.mjs FOLDER LIBRARY BACKEND [software]
 *
 * FOLDER has the library in its node_modules; with `software` WebGL and WebGPU are SwiftShader's.
 * Messages are passed on to the page, which answers them, and back.
 */

import { chromium, open } from "./browser.mjs";
import { encode, look } from "./messages.mjs";

const [packages, library, backend, driver] = process.argv.slice(2);
const threads = Number(process.env.CONFORMANCE_THREADS) || null;
let browser = null;
let ending = false;

process.on("SIGINT", () => {}); // Ctrl-C is the suite's business

/** End, and Chromium with this process. @param {number} code */
async function end(code) {
  if (ending) return;
  ending = true;
  setTimeout(() => process.exit(code), 1000); // Chromium goes with the pipe
  await browser?.close().catch(() => {});
  process.exit(code);
}

/** @param {string} why */
function died(why) {
  if (ending) return;
  console.error(why);
  process.exit(1);
}

/** @param {(string | Uint8Array)[]} parts */
function write(parts) {
  for (const part of parts) process.stdout.write(part);
}

/** @param {any} header @param {Buffer} message */
async function answer(header, message) {
  if (header.do === "bye") return end(0);
  if (header.do === "hello" && browser === null) {
    if (chromium() === null) {
      const reason = "chromium is not installed: apt-get install chromium, or CHROME_PATH names one";
      return write(encode({ outcome: "unavailable", reason }));
    }
    try {
      const software = driver === "software";
      browser = await open(packages, { library, backend, threads }, { software, died });
    } catch (error) {
      return write(encode({ outcome: "raised", type: error.name, message: error.message }));
    }
  }
  write([await browser.ask(message)]);
}

let waiting = [];
let size = 0;
let wanted = 0; // bytes before which there is no point in looking again
process.stdin.on("data", (chunk) => {
  waiting.push(chunk);
  size += chunk.length;
  if (size < wanted) return;
  const bytes = Buffer.concat(waiting, size);
  const seen = look(bytes);
  wanted = seen?.end ?? 0;
  if (seen === null || size < wanted) {
    waiting = [bytes];
    return;
  }
  const rest = bytes.subarray(seen.end);
  [waiting, size, wanted] = [[rest], rest.length, 0];
  answer(seen.header, bytes.subarray(0, seen.end)).catch((error) => died(error.message));
});
process.stdin.on("end", () => end(0)); // so it is when the suite dies
