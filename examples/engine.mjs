// An engine for Node without packages (docs/protocol.md): float32, one to three spatial axes, torch's arguments.
//     conformance run 'textbook/*' 'conventions/*' -a 'javascript=cmd:node examples/engine.mjs'
import { readSync, writeSync } from "node:fs";

const GREETING = { protocol: 1, convention: "torch", versions: { node: process.versions.node }, devices: ["cpu"] };
const BYTES = { float64: 8, float32: 4, float16: 2, bfloat16: 2 };
const KEYS = ["stride", "padding", "output_padding", "dilation", "output_size"];
const product = (numbers) => numbers.reduce((a, b) => a * b, 1);
let ahead = Buffer.alloc(0); // what was read behind a line

/** The next line; empty at the end of the input. */
function readLine() {
  const chunk = Buffer.alloc(65536);
  while (!ahead.includes("\n")) {
    const count = readSync(0, chunk);
    if (count === 0) return "";
    ahead = Buffer.concat([ahead, chunk.subarray(0, count)]);
  }
  const line = ahead.toString("utf8", 0, ahead.indexOf("\n"));
  ahead = ahead.subarray(ahead.indexOf("\n") + 1);
  return line;
}

/** So many bytes. */
function readBytes(count) {
  const bytes = Buffer.alloc(count);
  let at = ahead.copy(bytes);
  ahead = ahead.subarray(at);
  while (at < count) {
    const more = readSync(0, bytes, at, count - at);
    if (more === 0) process.exit(1);
    at += more;
  }
  return bytes;
}

function readTensor({ dtype, shape }) {
  const bytes = readBytes(product(shape) * BYTES[dtype]);
  const count = dtype === "float32" ? product(shape) : 0;
  const values = Float64Array.from({ length: count }, (_, i) => bytes.readFloatLE(4 * i));
  return { dtype, shape, values };
}

/** One line of JSON, then the bytes. */
function write(header, bytes = Buffer.alloc(0)) {
  const message = Buffer.concat([Buffer.from(JSON.stringify(header) + "\n"), bytes]);
  for (let at = 0; at < message.length; ) at += writeSync(1, message, at);
}

/** The window of one axis; throws what the call is refused for. */
function axisOf(size, kernel, stride, padding, outputPadding, dilation, outputSize) {
  const least = (size - 1) * stride + dilation * (kernel - 1) + 1 - 2 * padding;
  const extra = outputSize === undefined ? outputPadding : outputSize - least;
  if (Math.min(kernel, stride, dilation) < 1 || padding < 0) throw new RangeError("kernel, stride, dilation or padding is too small");
  if (extra < 0 || extra >= Math.max(stride, dilation)) throw new RangeError("output_padding should be below stride or dilation");
  if (least + extra < 1) throw new RangeError("the output would be empty");
  return { size, kernel, stride, dilation, padding, out: least + extra };
}

/** The output: every product goes to its place, if that is in the window, and is summed in float64. */
function convTranspose({ x, kernel, bias }, native) {
  const [n, inputs, ...size] = x.shape;
  const [kernelInputs, each, ...window] = kernel.shape;
  const [groups, outputs] = [native.groups, each * native.groups];
  if (groups < 1 || inputs % groups || kernelInputs !== inputs) throw new RangeError("kernel and groups do not fit the channels");
  if (bias && bias.values.length !== outputs) throw new RangeError("the bias should have C_out numbers");
  const axes = size.map((_, i) => axisOf(size[i], window[i], ...KEYS.map((key) => native[key]?.[i])));
  const shape = [n, outputs, ...axes.map(({ out }) => out)];
  if (product(shape) > 2 ** 29) throw new RangeError("the output would be too large");
  const [positions, taps, places] = [product(size), product(window), product(shape.slice(2))];
  const y = new Float64Array(product(shape));
  for (let position = 0; position < positions; position++) {
    for (let tap = 0; tap < taps; tap++) {
      const place = placeOf(axes, position, tap);
      for (let c = 0; place >= 0 && c < n * inputs; c++) {
        const group = Math.floor((c % inputs) / (inputs / groups));
        const first = (Math.floor(c / inputs) * outputs + group * each) * places + place;
        const value = x.values[c * positions + position];
        for (let o = 0; o < each; o++) y[first + o * places] += value * kernel.values[((c % inputs) * each + o) * taps + tap];
      }
    }
  }
  if (bias) y.forEach((_, i) => (y[i] += bias.values[Math.floor(i / places) % outputs]));
  return { shape, values: y };
}

/** Where the product of a position of the input and a tap of the kernel goes; -1 where it is cut off. */
function placeOf(axes, position, tap) {
  let [place, step] = [0, 1];
  for (const { size, kernel, stride, dilation, padding, out } of axes.toReversed()) {
    const i = (position % size) * stride + (tap % kernel) * dilation - padding;
    if (i < 0 || i >= out) return -1;
    [place, step, position, tap] = [place + i * step, step * out, Math.floor(position / size), Math.floor(tap / kernel)];
  }
  return place;
}

function answer(request, tensors) {
  const isFloat32 = Object.values(tensors).every(({ dtype }) => dtype === "float32");
  if (request.do !== "call" || !isFloat32 || ![3, 4, 5].includes(tensors.x.shape.length)) {
    return [{ outcome: "unsupported", reason: "It answers calls, in float32, of one to three axes." }];
  }
  try {
    const { shape, values } = convTranspose(tensors, request.native);
    const bytes = Buffer.alloc(4 * values.length);
    values.forEach((value, i) => bytes.writeFloatLE(value, 4 * i));
    return [{ outcome: "output", tensors: [{ name: "y", dtype: "float32", shape }] }, bytes];
  } catch (error) {
    return [{ outcome: "raised", type: error.name, message: error.message }];
  }
}

for (let line; (line = readLine()); ) {
  const request = JSON.parse(line);
  if (request.do === "bye") break;
  const tensors = Object.fromEntries((request.tensors ?? []).map((described) => [described.name, readTensor(described)]));
  const [header, bytes] = request.do === "hello" ? [GREETING] : answer(request, tensors);
  write({ id: request.id, ...header }, bytes);
}
