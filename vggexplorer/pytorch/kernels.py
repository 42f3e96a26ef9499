"""Triton kernels of a training step in bfloat16: what they fuse costs one pass over memory each way.

Importing this needs Triton, and an NVIDIA GPU to run it; only `fast.py` does. Activations are channels last, as cuDNN's
convolutions take and give them. Sums over pixels are partial sums of few programs, added up in a fixed order: equal
inputs give equal bits. What is not a number stays so. Offsets are 32 bits wide: a tensor has `MOST` elements at most.

Where bytes are told, an activation has 2 of them, and the place of a pool's maximum 1.
"""

# mypy: disallow-untyped-defs=False, disallow-incomplete-defs=False, disallow-untyped-decorators=False
# (a kernel is in Triton's own language, which has no types)

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd import Function

from vggexplorer.layers import Shape

LAST = torch.channels_last
MOST = 2**31 - 2**24
"""The most elements of a tensor: room for what the last program would reach, which is masked but must not wrap."""
PROGRAMS = 1056
"""The most programs of a kernel with partial sums: 8 for each multiprocessor of an H100."""
SUMS = 2048
"""The most sums that a program of `first_block` holds in registers. Beyond it (64 filters, 3 channels) it was never
measured, and may be slower than cuDNN."""
PAD = 1
"""The black edge of the images that `first_block` takes."""


@triton.jit
def _relu(x):
    return tl.maximum(x, 0.0, propagate_nan=tl.PropagateNan.ALL)


@triton.jit
def _better(value, best):
    """Whether a pool takes `value` instead of `best`: PyTorch keeps the first of equals and the last not-a-number."""
    return (value > best) | (value != value)


def _padded(channels: int) -> int:
    """The channels of a tile: a power of two."""
    return max(16, int(triton.next_power_of_2(channels)))


def _shares(rows: int, block: int) -> tuple[int, int]:
    """How many programs sum over the rows, and how many steps of `block` rows each of them makes."""
    tiles = -(-rows // block)
    programs = min(PROGRAMS, tiles)
    return programs, -(-tiles // programs)


# --- a batch -----------------------------------------------------------------------------------------------


@triton.jit(do_not_specialize=["index"])
def _pixels(
    images,
    index,
    out,
    height: tl.constexpr,
    width: tl.constexpr,
    tall: tl.constexpr,
    wide: tl.constexpr,
    pad: tl.constexpr,
    stored: tl.constexpr,
    channels: tl.constexpr,
    block: tl.constexpr,
):
    """An image for each program of the first axis; `tall` and `wide` are of the output without its edge."""
    at = tl.program_id(1) * block + tl.arange(0, block)
    inside = at < (tall + 2 * pad) * (wide + 2 * pad) * channels
    channel = at % channels % stored
    col = at // channels % (wide + 2 * pad) - pad
    row = at // (channels * (wide + 2 * pad)) - pad
    y = tl.maximum((row + 0.5) * (height / tall) - 0.5, 0.0)
    x = tl.maximum((col + 0.5) * (width / wide) - 0.5, 0.0)
    top = y.to(tl.int32)
    left = x.to(tl.int32)
    down = tl.where(top < height - 1, width, 0)
    right = tl.where(left < width - 1, 1, 0)
    y -= top
    x -= left
    picture = inside & (row >= 0) & (row < tall) & (col >= 0) & (col < wide)
    place = tl.program_id(0).to(tl.int64)
    source = images + tl.load(index + place) * (stored * height * width) + (channel * height + top) * width + left
    a = tl.load(source, mask=picture, other=0).to(tl.float32)
    b = tl.load(source + right, mask=picture, other=0).to(tl.float32)
    c = tl.load(source + down, mask=picture, other=0).to(tl.float32)
    d = tl.load(source + down + right, mask=picture, other=0).to(tl.float32)
    upper = a + (b - a) * x
    lower = c + (d - c) * x
    value = (upper + (lower - upper) * y) / 255
    out += place * ((tall + 2 * pad) * (wide + 2 * pad) * channels)
    tl.store(out + at, value.to(out.dtype.element_ty), mask=inside)


def pixels(images: Tensor, index: Tensor, shape: Shape, pad: int, dtype: torch.dtype) -> Tensor:
    """The images (n, c, h, w; uint8) at `index`, from 0 to 1, each of `shape` with a black edge of `pad` pixels.

    Bilinear, not antialiased: they must not shrink; grey images repeat their channel. Each pixel is written once, 2
    bytes, and the images are read from the cache.
    """
    (_, stored, height, width), (channels, tall, wide) = images.shape, shape
    size = len(index), channels, tall + 2 * pad, wide + 2 * pad
    out = torch.empty(size, dtype=dtype, device=images.device, memory_format=LAST)
    grid = len(index), triton.cdiv(size[1] * size[2] * size[3], 1024)
    _pixels[grid](images, index, out, height, width, tall, wide, pad, stored, channels, 1024)
    return out


# --- the first block ---------------------------------------------------------------------------------------


@triton.jit
def _window(r, k, rows, height: tl.constexpr, width: tl.constexpr, cin: tl.constexpr):
    """Where the 4x4 pixels around the pools `r` lie in (n, height + 2, width + 2, cin): the two parts of it."""
    r = tl.minimum(r, rows - 1)
    col = 2 * (r % (width // 2))
    row = 2 * (r // (width // 2) % (height // 2))
    image = r // ((width // 2) * (height // 2))
    start = ((image * (height + 2) + row) * (width + 2) + col) * cin
    return start, k // (4 * cin) * ((width + 2) * cin) + k % (4 * cin)


@triton.jit(do_not_specialize=["rows"])
def _first_forward(
    x,
    weight,
    bias,
    y,
    where,
    rows,
    height: tl.constexpr,
    width: tl.constexpr,
    cin: tl.constexpr,
    window: tl.constexpr,
    channels: tl.constexpr,
    padded: tl.constexpr,
    block: tl.constexpr,
):
    """The pixels around a pool are loaded once and multiplied with the weights as they lie at its four places."""
    k = tl.arange(0, window)
    c = tl.arange(0, padded)
    r = tl.program_id(0) * block + tl.arange(0, block)
    start, offset = _window(r, k, rows, height, width, cin)
    p = tl.load(x + (start[:, None] + offset[None, :]), mask=(k < 16 * cin)[None, :], other=0.0)
    best = tl.zeros((block, padded), tl.float32)
    arg = tl.zeros((block, padded), tl.int32)
    for place in tl.static_range(4):
        i = k // (4 * cin) - place // 2
        j = k // cin % 4 - place % 2
        tap = (i >= 0) & (i < 3) & (j >= 0) & (j < 3)
        at = c[None, :] * (9 * cin) + ((i * 3 + j) * cin + k % cin)[:, None]
        value = tl.dot(p, tl.load(weight + at, mask=tap[:, None] & (c < channels)[None, :], other=0.0))
        if place == 0:
            best = value
        else:
            better = _better(value, best)
            arg = tl.where(better, place, arg)
            best = tl.where(better, value, best)
    best += tl.load(bias + c, mask=c < channels, other=0.0)[None, :]
    out = r[:, None] * channels + c[None, :]
    inside = (r < rows)[:, None] & (c < channels)[None, :]
    tl.store(y + out, _relu(best).to(y.dtype.element_ty), mask=inside)
    tl.store(where + out, tl.where(best <= 0, 4, arg).to(tl.int8), mask=inside)


@triton.jit(do_not_specialize=["rows", "steps"])
def _first_backward(
    x,
    dy,
    where,
    dweight,
    dbias,
    rows,
    steps,
    height: tl.constexpr,
    width: tl.constexpr,
    cin: tl.constexpr,
    window: tl.constexpr,
    channels: tl.constexpr,
    padded: tl.constexpr,
    block: tl.constexpr,
):
    """One product for a pool's four places: their gradients lie side by side, each 0 but where it was the maximum."""
    k = tl.arange(0, window)
    n = tl.arange(0, 4 * padded)
    c = n % padded
    weights = tl.zeros((4 * padded, window), tl.float32)
    biases = tl.zeros((4 * padded, 16), tl.float32)
    ones = tl.full((block, 16), 1.0, tl.float32).to(x.dtype.element_ty)
    for step in range(steps):
        r = (step * tl.num_programs(0) + tl.program_id(0)) * block + tl.arange(0, block)
        start, offset = _window(r, k, rows, height, width, cin)
        p = tl.load(x + (start[:, None] + offset[None, :]), mask=(k < 16 * cin)[None, :], other=0.0)
        at = r[:, None] * channels + c[None, :]
        inside = (r < rows)[:, None] & (c < channels)[None, :]
        g = tl.load(dy + at, mask=inside, other=0.0)
        won = tl.load(where + at, mask=inside, other=4) == (n // padded)[None, :]
        g = tl.trans(tl.where(won, g, tl.zeros_like(g)))
        weights = tl.dot(g, p, weights)
        biases = tl.dot(g, ones, biases)
    at = tl.program_id(0) * (4 * padded) + n
    tl.store(dweight + at[:, None] * window + k[None, :], weights)
    tl.store(dbias + at, tl.sum(biases, 1) / 16)


def first_fits(channels: int, filters: int) -> bool:
    """Whether the sums of the gradients of `first_block` are few enough, and its products large enough."""
    return channels <= 4 and 4 * _padded(filters) * _padded(16 * channels) <= SUMS


class _FirstBlock(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        (n, cin, height, width), filters = x.shape, len(weight)
        ctx.size = height - 2, width - 2, cin, _padded(16 * cin), filters, _padded(filters)
        x, weight = x.contiguous(memory_format=LAST), weight.contiguous(memory_format=LAST)
        y, where = _pooled((n, filters, (height - 2) // 2, (width - 2) // 2), x)
        rows, block = y.numel() // filters, max(16, min(128, 4096 // _padded(filters)))
        _first_forward[(triton.cdiv(rows, block),)](x, weight, bias, y, where, rows, *ctx.size, block)
        ctx.save_for_backward(x, where)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[None, Tensor, Tensor]:
        (x, where), (*_, cin, window, filters, padded) = ctx.saved_tensors, ctx.size
        rows, block = where.numel() // filters, max(16, min(64, 1024 // padded))
        programs, steps = _shares(rows, block)
        dweight = torch.empty((programs, 4, padded, window), device=x.device)
        dbias = torch.empty((programs, 4, padded), device=x.device)
        dy = dy.contiguous(memory_format=LAST)
        _first_backward[(programs,)](x, dy, where, dweight, dbias, rows, steps, *ctx.size, block, num_stages=1)
        d = dweight.sum(0)[:, :filters, : 16 * cin].view(4, filters, 4, 4, cin)
        taps = d[0, :, :3, :3] + d[1, :, :3, 1:] + d[2, :, 1:, :3] + d[3, :, 1:, 1:]
        return None, taps.permute(0, 3, 1, 2).to(dy.dtype), dbias.sum((0, 1))[:filters]


def first_block(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """relu(max_pool2d(conv2d(x, weight) + bias, 2)): (n, c, h + 2, w + 2) -> (n, filters, h // 2, w // 2).

    x has a black edge of one pixel, and gets no gradient; weight (filters, c, 3, 3) is of its type, bias (filters,)
    float32. The activations between are never written: of 4 filters h w elements an image 3/4 bytes each are, as the
    result and its places, which the backward pass reads again, with the input.
    """
    y: Tensor = _FirstBlock.apply(x, weight, bias)
    return y


def _pooled(size: tuple[int, int, int, int], like: Tensor) -> tuple[Tensor, Tensor]:
    """Memory for what a pool gives, and for which of its elements was the maximum."""
    y = torch.empty(size, dtype=like.dtype, device=like.device, memory_format=LAST)
    return y, torch.empty_like(y, dtype=torch.int8)


# --- after a convolution -----------------------------------------------------------------------------------


@triton.jit(do_not_specialize=["rows"])
def _relu_forward(x, bias, y, rows, channels: tl.constexpr, padded: tl.constexpr, block: tl.constexpr):
    r = tl.program_id(0) * block + tl.arange(0, block)
    c = tl.arange(0, padded)
    at = r[:, None] * channels + c[None, :]
    inside = (r < rows)[:, None] & (c < channels)[None, :]
    value = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
    value += tl.load(bias + c, mask=c < channels, other=0.0)[None, :]
    tl.store(y + at, _relu(value).to(y.dtype.element_ty), mask=inside)


@triton.jit(do_not_specialize=["rows", "steps"])
def _relu_backward(y, dy, dx, dbias, rows, steps, channels: tl.constexpr, padded: tl.constexpr, block: tl.constexpr):
    c = tl.arange(0, padded)
    sums = tl.zeros((block, padded), tl.float32)
    for step in range(steps):
        r = (step * tl.num_programs(0) + tl.program_id(0)) * block + tl.arange(0, block)
        at = r[:, None] * channels + c[None, :]
        inside = (r < rows)[:, None] & (c < channels)[None, :]
        g = tl.load(dy + at, mask=inside, other=0.0)
        g = tl.where(tl.load(y + at, mask=inside, other=0.0) <= 0, tl.zeros_like(g), g)
        tl.store(dx + at, g, mask=inside)
        sums += g.to(tl.float32)
    tl.store(dbias + tl.program_id(0) * channels + c, tl.sum(sums, 0), mask=c < channels)


class _BiasReLU(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, bias: Tensor) -> Tensor:
        x = x.contiguous(memory_format=LAST)
        y = torch.empty_like(x)
        rows, channels, padded, block = _tiles(x, 4096)
        _relu_forward[(triton.cdiv(rows, block),)](x, bias, y, rows, channels, padded, block)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
        (y,) = ctx.saved_tensors
        rows, channels, padded, block = _tiles(y, 2048)
        programs, steps = _shares(rows, block)
        dx, dbias = torch.empty_like(y), torch.empty((programs, channels), device=y.device)
        dy = dy.contiguous(memory_format=LAST)
        _relu_backward[(programs,)](y, dy, dx, dbias, rows, steps, channels, padded, block)
        return dx, dbias.sum(0)


def bias_relu(x: Tensor, bias: Tensor) -> Tensor:
    """relu(x + bias): x (n, c, h, w), bias (c,) in float32.

    4 bytes an element forward, 6 backward, which gives the gradient of the bias in the same pass.
    """
    y: Tensor = _BiasReLU.apply(x, bias)
    return y


def _tiles(x: Tensor, size: int) -> tuple[int, int, int, int]:
    """The pixels of x, its channels, those of a tile, and how many pixels a tile of about `size` elements has."""
    channels = x.shape[1]
    padded = _padded(channels)
    return x.numel() // channels, channels, padded, max(1, size // padded)


@triton.jit(do_not_specialize=["rows"])
def _pool_forward(
    x,
    bias,
    y,
    where,
    rows,
    height: tl.constexpr,
    width: tl.constexpr,
    tall: tl.constexpr,
    wide: tl.constexpr,
    side: tl.constexpr,
    channels: tl.constexpr,
    padded: tl.constexpr,
    block: tl.constexpr,
):
    """Rows are the pools, `tall` x `wide` of each image; the bias is added to their maxima."""
    r = tl.program_id(0) * block + tl.arange(0, block)
    c = tl.arange(0, padded)
    inside = (r < rows)[:, None] & (c < channels)[None, :]
    corner = (r // (wide * tall) * height + 2 * (r // wide % tall)) * width + 2 * (r % wide)
    at = corner[:, None] * channels + c[None, :]
    best = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
    arg = tl.zeros((block, padded), tl.int32)
    for place in tl.static_range(1, side * side):
        step = (place // side * width + place % side) * channels
        value = tl.load(x + at + step, mask=inside, other=0.0).to(tl.float32)
        better = _better(value, best)
        arg = tl.where(better, place, arg)
        best = tl.where(better, value, best)
    best += tl.load(bias + c, mask=c < channels, other=0.0)[None, :]
    out = r[:, None] * channels + c[None, :]
    tl.store(y + out, _relu(best).to(y.dtype.element_ty), mask=inside)
    tl.store(where + out, tl.where(best <= 0, side * side, arg).to(tl.int8), mask=inside)


@triton.jit(do_not_specialize=["rows", "steps"])
def _pool_backward(
    dy,
    where,
    dx,
    dbias,
    rows,
    steps,
    height: tl.constexpr,
    width: tl.constexpr,
    tall: tl.constexpr,
    wide: tl.constexpr,
    side: tl.constexpr,
    channels: tl.constexpr,
    padded: tl.constexpr,
    block: tl.constexpr,
):
    """Rows are the 2x2 squares that cover the input; each of their pixels has what the pools that see it give."""
    across: tl.constexpr = (width + 1) // 2
    along: tl.constexpr = (height + 1) // 2
    around: tl.constexpr = (side + 1) // 2
    c = tl.arange(0, padded)
    sums = tl.zeros((block, padded), tl.float32)
    for step in range(steps):
        r = (step * tl.num_programs(0) + tl.program_id(0)) * block + tl.arange(0, block)
        col = r % across
        row = r // across % along
        image = r // (across * along)
        upper_left = tl.zeros((block, padded), tl.float32)
        upper_right = tl.zeros((block, padded), tl.float32)
        lower_left = tl.zeros((block, padded), tl.float32)
        lower_right = tl.zeros((block, padded), tl.float32)
        for up in tl.static_range(around):
            for left in tl.static_range(around):
                pool = (r < rows) & (row >= up) & (row - up < tall) & (col >= left) & (col - left < wide)
                seen = pool[:, None] & (c < channels)[None, :]
                source = ((image * tall + row - up) * wide + col - left)[:, None] * channels + c[None, :]
                g = tl.load(dy + source, mask=seen, other=0.0).to(tl.float32)
                arg = tl.load(where + source, mask=seen, other=side * side)
                upper_left += tl.where(arg == 2 * up * side + 2 * left, g, 0.0)
                if left == 0:
                    upper_right += tl.where(arg == 2 * up * side + 1, g, 0.0)
                if up == 0:
                    lower_left += tl.where(arg == side + 2 * left, g, 0.0)
                if up + left == 0:
                    lower_right += tl.where(arg == side + 1, g, 0.0)
        sums += upper_left + upper_right + lower_left + lower_right
        at = (((image * height + 2 * row) * width + 2 * col) * channels)[:, None] + c[None, :]
        upper = (r < rows)[:, None] & (c < channels)[None, :]
        lower = upper & (2 * row + 1 < height)[:, None]
        right = (2 * col + 1 < width)[:, None]
        kind = dx.dtype.element_ty
        tl.store(dx + at, upper_left.to(kind), mask=upper)
        tl.store(dx + at + channels, upper_right.to(kind), mask=upper & right)
        tl.store(dx + at + width * channels, lower_left.to(kind), mask=lower)
        tl.store(dx + at + (width + 1) * channels, lower_right.to(kind), mask=lower & right)
    tl.store(dbias + tl.program_id(0) * channels + c, tl.sum(sums, 0), mask=c < channels)


class _BiasReLUPool(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, bias: Tensor, side: int) -> Tensor:
        n, channels, height, width = x.shape
        tall, wide = ((length - side) // 2 + 1 for length in (height, width))
        x = x.contiguous(memory_format=LAST)
        y, where = _pooled((n, channels, tall, wide), x)
        rows, channels, padded, block = _tiles(y, 2048)
        ctx.size = height, width, tall, wide, side, channels, padded
        _pool_forward[(triton.cdiv(rows, block),)](x, bias, y, where, rows, *ctx.size, block)
        ctx.save_for_backward(where)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, None]:
        (where,), (height, width, *_, channels, padded) = ctx.saved_tensors, ctx.size
        count = len(where)
        dx = torch.empty((count, channels, height, width), dtype=dy.dtype, device=dy.device, memory_format=LAST)
        rows, block = count * ((height + 1) // 2) * ((width + 1) // 2), max(1, 1024 // padded)
        programs, steps = _shares(rows, block)
        dbias = torch.empty((programs, channels), device=dy.device)
        dy = dy.contiguous(memory_format=LAST)
        _pool_backward[(programs,)](dy, where, dx, dbias, rows, steps, *ctx.size, block)
        return dx, dbias.sum(0), None


def bias_relu_pool(x: Tensor, bias: Tensor, side: int) -> Tensor:
    """max_pool2d(relu(x + bias), side, 2) for a side of 2 or 3: x (n, c, h, w), bias (c,) in float32.

    For each element of x 2.75 bytes each way with a side of 2: it and a quarter of a result and its place. A side of 3
    sees some elements twice, out of the cache, and its backward pass reads results and places of four pools around.
    """
    y: Tensor = _BiasReLUPool.apply(x, bias, side)
    return y


# --- the update --------------------------------------------------------------------------------------------


@triton.jit
def _descend(
    weight,
    half,
    gradient,
    velocity,
    count,
    lr,
    momentum,
    decay,
    halved: tl.constexpr,
    moving: tl.constexpr,
    block: tl.constexpr,
):
    at = tl.program_id(0).to(tl.int64) * block + tl.arange(0, block)
    inside = at < count
    w = tl.load(weight + at, mask=inside)
    change = tl.load(gradient + at, mask=inside).to(tl.float32) + decay * w
    if moving:
        change += momentum * tl.load(velocity + at, mask=inside)
        tl.store(velocity + at, change, mask=inside)
    w -= tl.load(lr) * change
    tl.store(weight + at, w, mask=inside)
    if halved:
        tl.store(half + at, w.to(half.dtype.element_ty), mask=inside)


def descend(
    weight: Tensor,
    gradient: Tensor,
    half: Tensor | None,
    velocity: Tensor | None,
    lr: Tensor,
    momentum: float,
    decay: float,
) -> None:
    """w <- w - lr v with v <- momentum v + gradient + decay w, and `half` <- w, all with the strides of w.

    weight and velocity are float32, lr one number on the device, which a replayed graph reads anew. 12 bytes a weight
    with a half and without momentum, 20 with both.
    """
    grid = (triton.cdiv(weight.numel(), 1024),)
    copy, moved = weight if half is None else half, weight if velocity is None else velocity
    given = half is not None, velocity is not None
    _descend[grid](weight, copy, gradient, moved, weight.numel(), lr, momentum, decay, *given, 1024)
