/**
 * The page's side: answers messages of the protocol with one library.
 *
 * A library is a module with `start(backend, threads)`, which gives its greeting, and
 * `prepare(operands, native)`, which brings the operands into place and gives `run`, the one call,
 * `fetch`, which makes a tensor of its result, and `release`. It may have `gradients`.
 */

import { hasFailed } from "./driver.mjs";
import { decode, encode, Unsupported } from "./messages.mjs";

let library;
let greeting;
let timed = null; // the call that was timed last: its next turn does not prepare it again

/** @param {{library: string, backend: string, threads: number | null}} asked */
export async function start(asked) {
  library = await import(`./${asked.library}.mjs`);
  greeting = await library.start(asked.backend, asked.threads);
}

/**
 * Answer the message that the server has.
 * @returns {Promise<boolean>} whether the page is of no use any more
 */
export async function serve() {
  const message = new Uint8Array(await (await fetch("/request")).arrayBuffer());
  const { header, tensors } = decode(message);
  let parts;
  let spent = false;
  try {
    const [outcome, results] = await answer(header, tensors);
    parts = encode({ id: header.id, ...outcome }, results);
  } catch (error) {
    if (isTrap(error)) throw error; // which ends the process, and is no refusal
    spent = isLeak(error);
    parts = encode({ id: header.id, ...refusal(error) });
  }
  await fetch("/answer", { method: "POST", body: new Blob(parts) });
  return spent || (await hasFailed());
}

/** @param {any} header @param {Record<string, import("./messages.mjs").Tensor>} tensors */
async function answer(header, tensors) {
  switch (header.do) {
    case "hello":
      return [{ protocol: 1, ...greeting }, {}];
    case "call":
      return call(header, tensors);
    case "gradients":
      if (!library.gradients) throw new Unsupported("It has no gradients.");
      return [{ outcome: "gradients", computed_by: library.computedBy() }, await library.gradients(tensors, header.native)];
    case "time":
      return [{ outcome: "timing", calls: await time(header, tensors) }, {}];
    default:
      throw new Unsupported(`It does not answer ${header.do}.`);
  }
}

async function call(header, tensors) {
  const prepared = await library.prepare(tensors, header.native);
  try {
    const began = performance.now();
    const result = await prepared.run();
    const seconds = (performance.now() - began) / 1000;
    return [{ outcome: "output", seconds, computed_by: library.computedBy() }, { y: await prepared.fetch(result) }];
  } finally {
    await prepared.release();
  }
}

async function time(header, tensors) {
  const key = JSON.stringify(header.native);
  if (timed === null || timed.key !== key || !isSame(timed.tensors, tensors)) {
    const last = timed;
    timed = null; // before the next operands take memory of their own
    await last?.prepared.release();
    timed = { key, tensors, prepared: await library.prepare(tensors, header.native) };
  }
  const calls = [];
  const end = performance.now() + 1000 * header.seconds;
  do {
    const began = performance.now();
    await timed.prepared.run();
    calls.push((performance.now() - began) / 1000);
  } while (performance.now() < end);
  return calls;
}

/** Whether the same tensors hold the same bits. */
function isSame(one, other) {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => {
      const [a, b] = [one[name], other[name]];
      return b && a.dtype === b.dtype && `${a.shape}` === `${b.shape}` && a.bytes.every((byte, at) => byte === b.bytes[at]);
    })
  );
}

/** Whether WebAssembly has trapped, or its runtime aborts. */
function isTrap(error) {
  return error instanceof WebAssembly.RuntimeError || `${error.message}`.includes("Aborted(");
}

/** Whether an exception of C++ has left WebAssembly, as the number of its address: what it was about is half done. */
function isLeak(error) {
  return /^\d+$/.test(`${error.message ?? error}`);
}

function refusal(error) {
  if (error instanceof Unsupported) return { outcome: "unsupported", reason: error.message, type: error.type };
  return { outcome: "raised", type: error.name ?? "Error", message: `${error.message ?? error}` };
}
