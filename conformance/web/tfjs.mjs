/**
 * TensorFlow.js: tf.conv2dTranspose and tf.conv3dTranspose, channels last. They have no bias
 * argument: the bias is added with tf.add.
 */

import { webglFacts, webgpuFacts } from "./driver.mjs";
import { count, Unsupported } from "./messages.mjs";

const ROOT = "/node_modules/@tensorflow/";
const SCRIPTS = {
  cpu: ["tfjs/dist/tf.min.js"],
  webgl: ["tfjs/dist/tf.min.js"],
  wasm: ["tfjs/dist/tf.min.js", "tfjs-backend-wasm/dist/tf-backend-wasm.min.js"],
  webgpu: ["tfjs/dist/tf.min.js", "tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js"],
};
/** How TensorFlow.js says that it has no kernel, or no gradient, for an operation. */
const NOT_IMPLEMENTED = /not registered for backend|gradient function not found/;

let tf;
let backend;
let facts = {};

/** @param {string} name @param {number | null} threads */
export async function start(name, threads) {
  backend = name;
  for (const script of SCRIPTS[backend]) await load(ROOT + script);
  tf = globalThis.tf;
  if (backend === "wasm") {
    tf.wasm.setWasmPaths(`${ROOT}tfjs-backend-wasm/dist/`);
    if (threads !== null) tf.wasm.setThreadsCount(threads);
  }
  // small operands would be added on the CPU
  else if (backend !== "cpu") tf.env().set(`${backend.toUpperCase()}_CPU_FORWARD`, false);
  if (!(await tf.setBackend(backend))) throw new Error(`the backend ${backend} cannot be had`);
  await tf.ready();
  if (backend === "webgl") facts = webglFacts(tf.backend().gpgpu.gl);
  if (backend === "webgpu") facts = webgpuFacts(tf.backend().device);
  return {
    convention: "tensorflow",
    versions: { tfjs: tf.version.tfjs },
    devices: [facts.gpu ? backend : "cpu"],
    threads: backend === "wasm" ? tf.wasm.getThreadsCount() : 1,
    facts,
  };
}

/** Run a classic script, as a page of a stranger would. @param {string} address */
function load(address) {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: address, onload: resolve });
    script.onerror = () => reject(new Error(`${address} cannot be loaded`));
    document.head.append(script);
  });
}

/** Where it computes. @returns {string} */
export function computedBy() {
  if (tf.getBackend() !== backend) throw new Error(`asked for ${backend}, and ${tf.getBackend()} computes`);
  return facts.gpu ? `${backend}: ${facts.gpu}` : backend;
}

/** Refuse what the functions cannot be asked for. */
function refuse({ x, kernel, bias }, native) {
  const rank = x.shape.length - 2;
  const reference = "(API reference of TensorFlow.js 4.22.0)";
  if (rank === 1) throw new Unsupported(`There are conv2dTranspose and conv3dTranspose, and none of one axis ${reference}.`);
  if (native.groups !== 1) throw new Unsupported(`tf.conv${rank}dTranspose has no argument for groups ${reference}.`);
  if (native.dilations.some((one) => one !== 1)) {
    throw new Unsupported(`tf.conv${rank}dTranspose has no argument for dilation ${reference}.`);
  }
  if (rank === 3 && typeof native.padding !== "string") {
    throw new Unsupported(`The argument pad of tf.conv3dTranspose is 'valid' or 'same' ${reference}.`);
  }
  for (const { dtype } of [x, kernel, ...(bias ? [bias] : [])]) {
    if (dtype !== "float32") throw new Unsupported(`Tensors are float32, int32, bool, complex64 or string ${reference}.`);
  }
  const channels = kernel.shape[1];
  // tf.add would broadcast it, or refuse it in the call's place
  if (bias && bias.shape[0] !== channels) {
    throw new Unsupported(`There is no bias argument, so that ${bias.shape[0]} numbers cannot be given for ${channels} channels.`);
  }
  if (!native.output_shape) throw new Unsupported(`The argument outputShape has no default ${reference}.`);
}

/** The call as a function of input, kernel and bias in TensorFlow's layout. */
function callOf({ x, kernel }, { output_shape, strides, padding }) {
  const pad = typeof padding === "string" ? padding.toLowerCase() : [[0, 0], ...padding, [0, 0]];
  const shape = [x.shape[0], ...output_shape, kernel.shape[1]];
  const one = x.shape.length === 4 ? tf.conv2dTranspose : tf.conv3dTranspose;
  return (given, weights, added) => {
    const y = one(given, weights, shape, strides, pad);
    return added ? tf.add(y, added) : y;
  };
}

/** The order of the axes with that of place 1 last: channels first to channels last. */
const last = (rank) => [0, ...Array.from({ length: rank }, (_, axis) => axis + 2), 1];
const second = (rank) => [0, rank + 1, ...Array.from({ length: rank }, (_, axis) => axis + 1)];
/** (C_in, C_out, *kernel) to (*kernel, C_out, C_in), and back. */
const kernelLast = (rank) => [...Array.from({ length: rank }, (_, axis) => axis + 2), 1, 0];
const kernelFirst = (rank) => [rank + 1, rank, ...Array.from({ length: rank }, (_, axis) => axis)];

/** The operands as tensors of the backend, in the order of the call. */
function place({ x, kernel, bias }) {
  const rank = x.shape.length - 2;
  const made = [moved(numbers(x), x.shape, last(rank)), moved(numbers(kernel), kernel.shape, kernelLast(rank))];
  return [...made, ...(bias ? [{ data: numbers(bias), shape: bias.shape }] : [])].map(({ data, shape }) =>
    tf.tensor(data, shape, "float32"),
  );
}

const numbers = (tensor) => new Float32Array(tensor.bytes.buffer);

/** An array with its axes in another order. */
function moved(data, shape, order) {
  const sizes = order.map((axis) => shape[axis]);
  const strides = order.map((axis) => count(shape.slice(axis + 1)));
  const result = new Float32Array(data.length);
  const index = sizes.map(() => 0);
  let from = 0;
  for (let at = 0; at < result.length; at++) {
    result[at] = data[from];
    for (let place = sizes.length - 1; place >= 0; place--) {
      from += strides[place];
      if (++index[place] < sizes[place]) break;
      from -= strides[place] * sizes[place];
      index[place] = 0;
    }
  }
  return { data: result, shape: sizes };
}

/** A tensor of the backend as one of the protocol. */
async function fetched(tensor, order) {
  const { data, shape } = moved(await tensor.data(), tensor.shape, order(tensor.shape.length - 2));
  return { dtype: tensor.dtype, shape, bytes: new Uint8Array(data.buffer) };
}

/**
 * @param {Record<string, import("./messages.mjs").Tensor>} operands
 * @param {Record<string, any>} native
 */
export async function prepare(operands, native) {
  refuse(operands, native);
  const [call, given] = [callOf(operands, native), place(operands)];
  let y = null;
  return {
    run: async () => {
      y?.dispose();
      y = own(() => tf.tidy(() => call(...given)));
      await y.data(); // awaits it
      return y;
    },
    fetch: (result) => fetched(result, second),
    release: () => tf.dispose([...given, ...(y ? [y] : [])]),
  };
}

/** The gradients of the sum of output times cotangent. */
export async function gradients(operands, native) {
  const { cotangent, ...rest } = operands;
  refuse(rest, native);
  const [call, given] = [callOf(rest, native), place(rest)];
  const { data, shape } = moved(numbers(cotangent), cotangent.shape, last(cotangent.shape.length - 2));
  const above = tf.tensor(data, shape, "float32");
  const found = own(() => tf.grads((...values) => call(...values))(given, above));
  const [dx, dkernel, dbias] = found;
  const results = { dx: await fetched(dx, second), dkernel: await fetched(dkernel, kernelFirst) };
  if (dbias) results.dbias = { dtype: dbias.dtype, shape: dbias.shape, bytes: new Uint8Array((await dbias.data()).slice().buffer) };
  tf.dispose([...found, ...given, above]);
  return results;
}

/** What the library makes; its errors for what is not implemented are no failure. */
function own(make) {
  try {
    return make();
  } catch (error) {
    if (NOT_IMPLEMENTED.test(error.message)) throw new Unsupported(error.message, error.name);
    throw error;
  }
}
