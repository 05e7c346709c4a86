/**
 * onnxruntime-web: a session of a model of one ConvTranspose node, run once.
 *
 * `wasm` and `jsep` are the default entry's providers `wasm` and `webgpu`, whose WebGPU kernels are
 * written in TypeScript (JSEP); `webgpu` is the native WebGPU provider in onnxruntime-web/webgpu.
 */

import { webgpuFacts } from "./driver.mjs";
import { count, Unsupported } from "./messages.mjs";
import { oneNodeModel } from "./onnxmodel.mjs";

const DIST = "/node_modules/onnxruntime-web/dist/";
const ENTRIES = { wasm: "ort.bundle.min.mjs", jsep: "ort.bundle.min.mjs", webgpu: "ort.webgpu.bundle.min.mjs" };
const ARRAYS = { float32: Float32Array, float64: Float64Array, float16: globalThis.Float16Array ?? Uint16Array };
const NAMES = { x: "x", kernel: "w", bias: "b" };
/** OrtErrorCode ORT_NOT_IMPLEMENTED */
const NOT_IMPLEMENTED = /ERROR_CODE: 9\b/;

let ort;
let provider;
let facts = {};

/** @param {string} backend @param {number | null} threads */
export async function start(backend, threads) {
  ort = await import(DIST + ENTRIES[backend]);
  provider = backend === "wasm" ? "wasm" : "webgpu";
  ort.env.wasm.wasmPaths = DIST;
  ort.env.logLevel = "error";
  if (threads !== null) ort.env.wasm.numThreads = threads;
  const one = { dtype: "float32", shape: [1, 1, 1], bytes: new Uint8Array(4) };
  await (await prepare({ x: one, kernel: one }, {})).release(); // loads it, and takes the adapter
  if (provider === "webgpu") facts = webgpuFacts(await ort.env.webgpu.device);
  return {
    convention: "onnx",
    versions: { "onnxruntime-web": ort.env.versions.web },
    devices: [facts.gpu ? "webgpu" : "cpu"],
    threads: ort.env.wasm.numThreads,
    facts,
  };
}

/** Where it computes: a node that is left to the CPU is refused. @returns {string} */
export const computedBy = () => (facts.gpu ? `webgpu: ${facts.gpu}` : provider);

/**
 * @param {Record<string, import("./messages.mjs").Tensor>} operands
 * @param {Record<string, any>} native
 */
export async function prepare(operands, native) {
  const inputs = Object.entries(operands).map(([name, tensor]) => ({ ...tensor, name: NAMES[name] }));
  for (const { dtype, shape } of inputs) {
    if (!(dtype in ARRAYS)) throw new Unsupported(`Its tensors have no ${dtype} (Tensor.DataTypeMap of the API reference).`);
    if (facts.gpu && shape.length === 5) {
      throw new Unsupported('"ConvTranspose3d is not supported" (js/web/docs/webgpu-operators.md).');
    }
    if (facts.gpu && dtype === "float64") {
      throw new Unsupported("The floating-point types are f32 and f16 (WebGPU Shading Language, Types).");
    }
    if (facts.gpu && dtype === "float16" && !facts.shader_f16) {
      throw new Unsupported("The adapter has no shader-f16, which f16 needs (WebGPU, GPUFeatureName).");
    }
  }
  const session = await own(() =>
    ort.InferenceSession.create(oneNodeModel(inputs, native), {
      executionProviders: [provider],
      // else a node without a kernel there is computed on the CPU in silence
      extra: provider === "wasm" ? {} : { session: { disable_cpu_ep_fallback: "1" } },
    }),
  );
  const feeds = Object.fromEntries(
    inputs.map(({ name, dtype, shape, bytes }) => [
      name,
      new ort.Tensor(dtype, new ARRAYS[dtype](bytes.buffer), shape),
    ]),
  );
  return {
    run: async () => (await own(() => session.run(feeds))).y,
    fetch: async (y) => ({ dtype: y.type, shape: [...y.dims], bytes: bytesOf(await y.getData(), y.dims) }),
    release: () => session.release(),
  };
}

/** @param {ArrayBufferView} data @param {readonly number[]} dims @returns {Uint8Array} */
function bytesOf(data, dims) {
  if (data.length !== count([...dims])) throw new Error(`the result has ${data.length} numbers and the shape ${dims}`);
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** What is made by the runtime; its code for what is not implemented is no failure. */
async function own(make) {
  try {
    return await make();
  } catch (error) {
    if (NOT_IMPLEMENTED.test(error.message)) throw new Unsupported(error.message, "NotImplemented");
    throw error;
  }
}
