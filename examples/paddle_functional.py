"""PaddlePaddle: `paddle.nn.functional.conv1d/2d/3d_transpose`, in torch's arguments."""

import paddle

from conformance import Unsupported

CALLS = {
    1: paddle.nn.functional.conv1d_transpose,
    2: paddle.nn.functional.conv2d_transpose,
    3: paddle.nn.functional.conv3d_transpose,
}


class Paddle:
    """One call of the function for that many axes, and its gradients by `paddle.grad`."""

    convention = "torch"

    def versions(self):
        return {"paddlepaddle": paddle.__version__}

    def devices(self):
        return ["cpu"]

    def call(self, x, kernel, bias, native, device):
        return self.output(*self.operands(x, kernel, bias, device), native).numpy()

    def gradients(self, x, kernel, bias, native, cotangent, device):
        operands = self.operands(x, kernel, bias, device)
        given = [operand for operand in operands if operand is not None]
        for operand in given:
            operand.stop_gradient = False
        outputs = [self.output(*operands, native)]
        gradients = paddle.grad(outputs, given, [paddle.to_tensor(cotangent, place=device)])
        dbias = gradients[2].numpy() if bias is not None else None
        return gradients[0].numpy(), gradients[1].numpy(), dbias

    def operands(self, x, kernel, bias, device):
        names = {array.dtype.name for array in (x, kernel, bias) if array is not None}
        if names & {"float16", "bfloat16"}:
            raise Unsupported("x is float32 or float64 (documentation of conv2d_transpose).")
        return [a if a is None else paddle.to_tensor(a, place=device) for a in (x, kernel, bias)]

    def output(self, x, kernel, bias, native):
        if "output_size" in native:  # which excludes the other, even of 0
            native = {name: value for name, value in native.items() if name != "output_padding"}
        return CALLS[x.ndim - 2](x, kernel, bias, **native)
