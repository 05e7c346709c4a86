/**
 * The bytes of an ONNX model of one ConvTranspose node, in protobuf's wire format: a field is its
 * number and kind, then a varint (kind 0) or a length and that many bytes (kind 2). The numbers are
 * those of onnx.proto, which never change.
 */

const IR_VERSION = 8;
const OPSET = 11;
/** TensorProto.DataType */
const ELEMENTS = { float32: 1, float16: 10, float64: 11 };
/** AttributeProto.AttributeType */
const [INT, STRING, INTS] = [2, 3, 7];

/** @param {number} value negative ones are written as 64 bits @returns {number[]} */
function varint(value) {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is beyond the integers that JavaScript keeps`);
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const number = (field, value) => [...varint(field << 3), ...varint(value)];
const bytes = (field, content) => [...varint((field << 3) | 2), ...varint(content.length), ...content];
const text = (field, content) => bytes(field, new TextEncoder().encode(content));
const each = (items, make) => items.flatMap(make);

/** AttributeProto: name 1, i 3, s 4, ints 8, type 20. */
function attribute(name, value) {
  if (typeof value === "number") return [...text(1, name), ...number(3, value), ...number(20, INT)];
  if (typeof value === "string") return [...text(1, name), ...text(4, value), ...number(20, STRING)];
  return [...text(1, name), ...each(value, (one) => number(8, one)), ...number(20, INTS)];
}

/** ValueInfoProto: name 1, type 2, in it tensor_type 1 of elem_type 1 and shape 2, if it is said. */
function value(name, dtype, sizes) {
  const shape = sizes ? bytes(2, each(sizes, (size) => bytes(1, number(1, size)))) : [];
  return [...text(1, name), ...bytes(2, bytes(1, [...number(1, ELEMENTS[dtype]), ...shape]))];
}

/**
 * A model whose inputs are x, w and b (where there is one), and whose output is y, of any shape.
 * @param {{name: string, dtype: string, shape: number[]}[]} inputs
 * @param {Record<string, number | string | number[]>} attributes
 * @returns {Uint8Array}
 */
export function oneNodeModel(inputs, attributes) {
  // NodeProto: input 1, output 2, op_type 4, attribute 5
  const node = [
    ...each(inputs, ({ name }) => text(1, name)),
    ...text(2, "y"),
    ...text(4, "ConvTranspose"),
    ...each(Object.entries(attributes), ([name, one]) => bytes(5, attribute(name, one))),
  ];
  // GraphProto: node 1, name 2, input 11, output 12
  const graph = [
    ...bytes(1, node),
    ...text(2, "conv_transpose"),
    ...each(inputs, (one) => bytes(11, value(one.name, one.dtype, one.shape))),
    ...bytes(12, value("y", inputs[0].dtype)),
  ];
  // ModelProto: ir_version 1, graph 7, opset_import 8, in it version 2
  return new Uint8Array([...number(1, IR_VERSION), ...bytes(7, graph), ...bytes(8, number(2, OPSET))]);
}
