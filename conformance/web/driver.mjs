/**
 * The driver that computes for WebGL and WebGPU, by the name that it gives itself.
 */

/** Drivers that compute on the processor: the words of conformance/system/vulkan.py. */
const SOFTWARE = ["swiftshader", "llvmpipe", "lavapipe", "softpipe", "microsoft basic render"];

/** The facts of a driver of this name. @param {string} gpu */
const factsOf = (gpu) => ({ gpu, software_driver: SOFTWARE.some((word) => gpu.toLowerCase().includes(word)) });

/** The facts of a context of WebGL. @param {WebGLRenderingContext} gl */
export function webglFacts(gl) {
  const names = gl.getExtension("WEBGL_debug_renderer_info");
  return factsOf(gl.getParameter(names ? names.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
}

let device = null;
let failed = false;

/** Whether the device has had an error that its library did not see: the next call would be lost with this one. */
export async function hasFailed() {
  device?.pushErrorScope("validation"); // errors come in order: those before this scope are known when it ends
  await device?.popErrorScope();
  return failed;
}

/** The facts of a device of WebGPU, whose errors go to the console. @param {GPUDevice} taken */
export function webgpuFacts(taken) {
  device = taken;
  device.addEventListener("uncapturederror", ({ error }) => {
    failed = true;
    console.error(error.message);
  });
  const { vendor, architecture } = device.adapterInfo;
  const gpu = [vendor, architecture].filter(Boolean).join(" ") || "an adapter without a name";
  return { ...factsOf(gpu), shader_f16: device.features.has("shader-f16") };
}
