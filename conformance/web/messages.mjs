/**
 * Messages of the suite's protocol: one line of JSON, then the bytes of its tensors, little-endian.
 */

const BYTES = { float64: 8, float32: 4, float16: 2, bfloat16: 2 };

/**
 * @typedef {{name: string, dtype: string, shape: number[]}} Description
 * @typedef {{dtype: string, shape: number[], bytes: Uint8Array}} Tensor the bytes in C order
 */

/** The number of elements of a shape. @param {number[]} shape @returns {number} */
export const count = (shape) => shape.reduce((product, size) => product * size, 1);

/** The number of bytes of a tensor. @param {Description} tensor @returns {number} */
const byteLength = ({ dtype, shape }) => count(shape) * BYTES[dtype];

/**
 * The header of the first message in these bytes, and its length with its tensors; null as long as
 * the line is not whole.
 * @param {Uint8Array} bytes
 * @returns {{header: any, start: number, end: number} | null}
 */
export function look(bytes) {
  const newline = bytes.indexOf(10);
  if (newline < 0) return null;
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(0, newline)));
  const start = newline + 1;
  const sizes = (header.tensors ?? []).map(byteLength);
  return { header, start, end: start + sizes.reduce((sum, size) => sum + size, 0) };
}

/**
 * A whole message: its header, and its tensors by name.
 * @param {Uint8Array} bytes
 * @returns {{header: any, tensors: Record<string, Tensor>}}
 */
export function decode(bytes) {
  const { header, start } = look(bytes);
  const tensors = {};
  let at = start;
  for (const description of header.tensors ?? []) {
    const end = at + byteLength(description);
    // a copy: an array of 8-byte numbers cannot begin at any byte
    tensors[description.name] = { ...description, bytes: bytes.slice(at, end) };
    at = end;
  }
  return { header, tensors };
}

/**
 * The parts of a message, to be joined.
 * @param {any} header
 * @param {Record<string, Tensor>} [tensors]
 * @returns {(string | Uint8Array)[]}
 */
export function encode(header, tensors = {}) {
  const described = Object.entries(tensors).map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const whole = described.length ? { ...header, tensors: described } : header;
  return [JSON.stringify(whole) + "\n", ...Object.values(tensors).map((tensor) => tensor.bytes)];
}

/** What the framework, by its documentation, does not do; the message is a sentence that cites it. */
export class Unsupported extends Error {
  /** @param {string} reason @param {string} [type] the framework's own error for it */
  constructor(reason, type) {
    super(reason);
    this.type = type;
  }
}
