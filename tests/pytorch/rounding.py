"""Has Triton's interpreter compute in bfloat16 as a GPU does: rounded to the nearest, and in products of matrices.

By itself it cuts off what does not fit, and multiplies the bits of bfloat16 as if they were whole numbers.
"""

from typing import Any

import numpy as np
import pytest
import torch
import triton.language as tl


def to_single(bits: Any) -> Any:
    """bfloat16, as whole numbers of 16 bits, to float32."""
    return torch.from_numpy(np.ascontiguousarray(bits).view(np.int16)).view(torch.bfloat16).float().numpy()


def to_half(values: Any) -> Any:
    """float32 to bfloat16, as whole numbers of 16 bits."""
    return torch.from_numpy(np.ascontiguousarray(values)).bfloat16().view(torch.int16).numpy().view(np.uint16)


def as_on_a_gpu(patch: pytest.MonkeyPatch) -> None:
    """Until the patch is undone. Skips the test if the interpreter is another one than this was written for (3.8)."""
    interpreter = pytest.importorskip("triton.runtime.interpreter")
    try:
        builder, handle = interpreter.InterpreterBuilder, interpreter.TensorHandle
        cast, multiply, _ = builder.cast_impl, builder.create_dot, builder.create_fp_to_fp
    except AttributeError as error:
        pytest.skip(f"Triton's interpreter is another one: {error}")

    def rounded(self: Any, source: Any, kind: Any, *_: Any) -> Any:
        given, wanted = source.dtype.scalar, kind.scalar
        if (given, wanted) == (tl.float32, tl.bfloat16):
            return handle(to_half(source.data), wanted)
        if (given, wanted) == (tl.bfloat16, tl.float32):
            return handle(to_single(source.data), wanted)
        return cast(self, source, kind)

    def product(self: Any, left: Any, right: Any, *rest: Any) -> Any:
        if left.dtype.scalar == tl.bfloat16:
            left, right = (handle(to_single(each.data), tl.float32) for each in (left, right))
        return multiply(self, left, right, *rest)

    patch.setattr(builder, "cast_impl", rounded)
    patch.setattr(builder, "create_fp_to_fp", rounded)
    patch.setattr(builder, "create_dot", product)
