"""Candidates of every form, as people write them: text of files."""

from __future__ import annotations

PROBLEM = """\
import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0,
                 output_padding=0, groups=1, bias=False):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, kernel_size, stride=stride,
                                     padding=padding, output_padding=output_padding,
                                     groups=groups, bias=bias)

    def forward(self, x):
        return self.up(x)


def get_inputs():
    return [torch.rand(3, 4, 9, 11)]


def get_init_inputs():
    return [4, 6, 3, 2, 1, 1]
"""

MODULE = """\
import torch
from torch import nn
from torch.nn import functional as F


class ModelNew(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0,
                 output_padding=0, groups=1, bias=False):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, kernel_size, groups=groups,
                                     bias=bias)
        self.stride, self.groups, self.output_padding = stride, groups, output_padding
        self.edge = kernel_size - 1 - padding

    def forward(self, x):
        n, c, h, w = x.shape
        s, e, o, g = self.stride, self.edge, self.output_padding, self.groups
        apart = x.new_zeros(n, c, (h - 1) * s + 1, (w - 1) * s + 1)
        apart[:, :, ::s, ::s] = x
        k = self.up.weight{flip}.unflatten(0, (g, c // g)).transpose(1, 2).flatten(0, 1)
        return F.conv2d(F.pad(apart, (e, e + o, e, e + o)), k, self.up.bias, groups=g)
"""

FUNCTION = """\
import torch
import torch.nn.functional as F


def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1,
                     dilation=1):
    y = F.conv_transpose2d(input, weight, None, stride, padding, output_padding, groups, dilation)
    return y if bias is None else y + {bias}[:, None, None]
"""

CONVOLUTION = """\
import torch


def convolution_kernel_impl(input, weight, bias, stride, padding, dilation, transposed,
                            output_padding, groups):
    assert transposed
    return torch.nn.functional.conv_transpose2d(
        input, weight, bias, stride, padding, output_padding, groups, {dilation})
"""

NUMPY = """\
import itertools

import numpy as np


def kernel(x, w, bias, *, stride, padding, output_padding, dilation, groups):
    rank, n, per = x.ndim - 2, len(x), w.shape[1]
    full = [(x.shape[a + 2] - 1) * stride[a] + dilation[a] * (w.shape[a + 2] - 1) + 1
            for a in range(rank)]
    y = np.zeros((n, per * groups, *(f + p for f, p in zip(full, output_padding))))
    each = x.shape[1] // groups
    for g, tap in itertools.product(range(groups), np.ndindex(*w.shape[2:])):
        at = tuple(slice(t * d, t * d + (size - 1) * s + 1, s)
                   for t, d, size, s in zip(tap, dilation, x.shape[2:], stride))
        into = slice(g * per, (g + 1) * per)
        part = slice(g * each, (g + 1) * each)
        y[(slice(None), into, *at)] += np.einsum(
            "nc...,co->no...", x[:, part].astype(np.float64),
            w[(part, slice(None), *tap)].astype(np.float64))
    cut = tuple(slice(low, y.shape[a + 2] - high) for a, (low, high) in enumerate(padding))
    y = y[(slice(None), slice(None), *cut)]
    if bias is not None:
        y = y + bias.astype(np.float64).reshape(-1, *[1] * rank)
    return y.astype(x.dtype)
"""

OPERATOR = """\
import torch
from torch.nn import functional as F

library = torch.library.Library("aten", "IMPL")


def convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    assert transposed and input.dim() == 4
    n, c, h, w = input.shape
    columns = torch.einsum("ngchw,gcokl->ngoklhw", input.unflatten(1, (groups, -1)),
                           weight.unflatten(0, (groups, -1)))
    kernel = list(weight.shape[2:])
    full = [(size - 1) * s + d * (k - 1) + 1
            for size, s, d, k in zip((h, w), stride, dilation, kernel)]
    y = F.fold(columns.flatten(1, 4).flatten(2), full, kernel, dilation=tuple(dilation),
               stride=tuple(stride))
    y = F.pad(y, [e for o in reversed(output_padding) for e in (0, o)])
    (p, q), (f, r) = padding, y.shape[2:]
    y = y[:, :, p:f - p, q:r - q]
    return y if bias is None else y + bias[:, None, None]


library.impl("convolution", convolution, "CPU", allow_override=True)
"""

LIBRARY = """\
#include <stdint.h>

int conv_transpose(int rank, const int64_t *x, const int64_t *w, const int64_t *y,
                   const int64_t *stride, const int64_t *padding, const int64_t *dilation,
                   int64_t groups, const float *input, const float *kernel, const float *bias,
                   float *output) {
    if (rank != 2) return 1;
    int64_t inside = x[1] / groups;
    for (int64_t n = 0; n < y[0]; n++)
    for (int64_t o = 0; o < y[1]; o++)
    for (int64_t i = 0; i < y[2]; i++)
    for (int64_t j = 0; j < y[3]{beyond}; j++) {
        double sum = 0;
        for (int64_t c = 0; c < inside; c++)
        for (int64_t k = 0; k < w[2]; k++)
        for (int64_t l = 0; l < w[3]; l++) {
            int64_t a = i + padding[0] - k * dilation[0], b = j + padding[1] - l * dilation[1];
            if (a % stride[0] || b % stride[1]) continue;
            a /= stride[0]; b /= stride[1];
            if (a < 0 || b < 0 || a >= x[2] || b >= x[3]) continue;
            int64_t from = o / w[1] * inside + c;
            sum += (double)input[((n * x[1] + from) * x[2] + a) * x[3] + b]
                 * kernel[((from * w[1] + o % w[1]) * w[2] + k) * w[3] + l];
        }
        output[((n * y[1] + o) * y[2] + i) * y[3] + j] = (float)(sum + (bias ? bias[o] : 0));
    }
    return 0;
}
"""
