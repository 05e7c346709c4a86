"""OpenCV's DNN module: `cv2.dnn.readNetFromONNX` of a one-node model, and one forward pass."""

import cv2
import numpy as np
import onnx
from onnx import helper

from conformance import Unsupported


class OpenCv:
    """The importer wants the kernel as an initializer, and an output whose rank it is told."""

    convention = "onnx"

    def versions(self):
        return {"opencv-python-headless": cv2.__version__}

    def devices(self):
        return ["cpu"]

    def call(self, x, kernel, bias, native, device):
        if {array.dtype.name for array in (x, kernel, bias) if array is not None} != {"float32"}:
            raise Unsupported("cv2.dnn.Net.setInput takes CV_32F and CV_8U (its documentation).")
        model = self.model(x, kernel, bias, native).SerializeToString()
        net = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
        net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
        net.setPreferableTarget(cv2.dnn.DNN_TARGET_CPU)
        net.setInput(np.ascontiguousarray(x), "x")
        return net.forward()

    def model(self, x, kernel, bias, native):
        constants = {"w": kernel} if bias is None else {"w": kernel, "b": bias}
        graph = helper.make_graph(
            [helper.make_node("ConvTranspose", ["x", *constants], ["y"], **native)],
            "conv_transpose",
            [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, x.shape)],
            [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None] * x.ndim)],
            [
                onnx.numpy_helper.from_array(np.ascontiguousarray(a), n)
                for n, a in constants.items()
            ],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)
