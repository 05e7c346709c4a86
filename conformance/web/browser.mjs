/**
 * A page in headless Chromium that answers messages of the protocol: it fetches each from a server
 * of this process on 127.0.0.1, and posts its answer there.
 */

import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const TYPES = { ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm" };
// a page of its own origin with both may have memory that threads share
const ISOLATED = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
const PAGE = `<!doctype html><meta charset="utf-8"><title>conformance</title><link rel="icon" href="data:,">`;
const CHROMIUMS = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const PROFILE = "conformance-web-";
const FLAGS = ["--no-sandbox", "--enable-unsafe-webgpu", "--enable-features=Vulkan", "--ignore-gpu-blocklist"];
/** SwiftShader, which computes WebGL and WebGPU on the processor. */
const SOFTWARE = [
  "--enable-unsafe-swiftshader",
  "--use-webgpu-adapter=swiftshader",
  "--use-gl=angle",
  "--use-angle=swiftshader",
];

/**
 * The path of the browser: what CHROME_PATH or PUPPETEER_EXECUTABLE_PATH names, or the first that is
 * where packages put it; null where there is none.
 * @returns {string | null}
 */
export function chromium() {
  const named = process.env.CHROME_PATH || process.env.PUPPETEER_EXECUTABLE_PATH;
  const candidates = named ? [named] : CHROMIUMS;
  return candidates.find(existsSync) ?? null;
}

/**
 * Start the browser alone.
 * @param {string} packages the folder of node_modules
 * @param {boolean} software whether SwiftShader computes for WebGL and WebGPU
 */
export async function launch(packages, software) {
  const { default: puppeteer } = await import(
    pathToFileURL(createRequire(path.join(packages, "package.json")).resolve("puppeteer-core"))
  );
  return puppeteer.launch({
    executablePath: chromium(),
    headless: true,
    userDataDir: profile(),
    pipe: true, // Chromium ends when the pipe closes, however this process dies
    protocolTimeout: 0, // how long a call may take is the suite's business
    args: software ? [...FLAGS, ...SOFTWARE] : FLAGS,
  });
}

/**
 * Start the browser with the page of a library.
 * @param {string} packages the folder of node_modules
 * @param {{library: string, backend: string, threads: number | null}} asked
 * @param {{software: boolean, died: (why: string) => void}} options
 */
export async function open(packages, asked, { software, died }) {
  let request = Buffer.alloc(0);
  let answer = null;
  const server = createServer((message, response) => {
    const { pathname } = new URL(message.url, "http://localhost");
    if (message.method === "POST") {
      const parts = [];
      message.on("data", (part) => parts.push(part));
      message.on("end", () => {
        answer = Buffer.concat(parts);
        response.end();
      });
    } else if (pathname === "/") {
      response.writeHead(200, { "Content-Type": "text/html", ...ISOLATED }).end(PAGE);
    } else if (pathname === "/request") {
      response.writeHead(200, { "Content-Length": request.length, ...ISOLATED }).end(request);
    } else {
      const root = pathname.startsWith("/node_modules/") ? packages : HERE;
      serve(path.join(root, path.normalize(pathname)), response);
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const browser = await launch(packages, software);
  browser.on("disconnected", () => died("Chromium has ended"));
  const page = await browser.newPage();
  page.on("error", (error) => died(`the page has crashed: ${error.message}`));
  page.on("console", (line) => console.error(line.text()));
  page.on("pageerror", (error) => console.error(error.stack ?? error.message));
  const load = async () => {
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page.evaluate(async (words) => {
      globalThis.page = await import("/page.mjs");
      await globalThis.page.start(words);
    }, asked);
  };
  await load();
  return {
    /** The page's answer to a message, bytes for bytes. @param {Buffer} message */
    async ask(message) {
      request = message;
      if (await page.evaluate(() => globalThis.page.serve())) await load();
      return answer;
    },
    close: () => browser.close(),
  };
}

/**
 * A folder for the browser's profile, which goes with this process. A process that was killed leaves
 * its own: whoever starts next removes it.
 * @returns {string}
 */
function profile() {
  for (const name of readdirSync(tmpdir()).filter((one) => one.startsWith(PROFILE))) {
    if (lives(Number.parseInt(name.slice(PROFILE.length)))) continue;
    endBrowser(path.join(tmpdir(), name));
    remove(path.join(tmpdir(), name));
  }
  const folder = mkdtempSync(path.join(tmpdir(), `${PROFILE}${process.pid}-`));
  process.on("exit", () => remove(folder));
  return folder;
}

/**
 * End a browser that has outlived the process of its profile. Chromium's lock is a link to HOST-PID, and
 * what bears that number now is held against the profile, where the system tells.
 * @param {string} folder
 */
function endBrowser(folder) {
  try {
    const pid = Number(readlinkSync(path.join(folder, "SingletonLock")).split("-").at(-1));
    if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder)) process.kill(pid, "SIGKILL");
  } catch {
    // there is none
  }
}

/** Whether a process is there, be it another user's. @param {number} pid */
function lives(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Remove a folder, or what can be of it: Chromium may still write. @param {string} folder */
function remove(folder) {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // the next start tries again
  }
}

/** A file as a response. @param {string} file @param {import("node:http").ServerResponse} response */
function serve(file, response) {
  const stream = createReadStream(file);
  stream.on("open", () => {
    response.writeHead(200, { "Content-Type": TYPES[path.extname(file)] ?? "application/octet-stream", ...ISOLATED });
    stream.pipe(response);
  });
  stream.on("error", () => response.writeHead(404).end());
}
