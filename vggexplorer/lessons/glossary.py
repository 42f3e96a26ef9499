"""The words of the tasks, each with what it means."""

from typing import NamedTuple

from vggexplorer.comparison import Remark


class Term(NamedTuple):
    """A word, and a sentence or two that explain it."""

    name: Remark
    meaning: Remark


GLOSSARY: dict[str, Term] = {
    "block": Term(
        Remark("block"),
        Remark("Several equal convolutions, each with ReLU, and a pooling layer behind them: what VGG is made of."),
    ),
    "convolution": Term(
        Remark("convolution"),
        Remark("A layer that slides small kernels over the feature maps; the same weights are used at every position."),
    ),
    "kernel": Term(
        Remark("kernel"),
        Remark(
            "The small window of weights of a convolution, 3×3 in VGG, one for each pair of input and output channel."
        ),
    ),
    "stride": Term(
        Remark("stride"),
        Remark("How many pixels a window moves from one position to the next; with 2, half as many positions remain."),
    ),
    "pooling": Term(
        Remark("pooling"),
        Remark(
            "A layer without weights that keeps the largest value (or the mean) of each window: 2×2 halves both sides."
        ),
    ),
    "feature map": Term(
        Remark("feature map"),
        Remark("What one channel of a layer gives: a number at each position of the picture."),
    ),
    "flatten": Term(
        Remark("flatten"),
        Remark("Puts all feature maps into one long vector; its length follows from their size and number."),
    ),
    "linear": Term(
        Remark("fully connected layer"),
        Remark("Each output is a weighted sum of all inputs: inputs × outputs weights, and a bias for each output."),
    ),
    "head": Term(
        Remark("head"),
        Remark("What turns the last feature maps into class scores: Flatten or a pool, then linear layers."),
    ),
    "gap": Term(
        Remark("global average pooling"),
        Remark("Keeps one number of each feature map, its mean: the head no longer depends on the input's size."),
    ),
    "parameter": Term(
        Remark("parameter"),
        Remark("A number that is learned: a weight or a bias."),
    ),
    "activation": Term(
        Remark("activations"),
        Remark(
            "The outputs of the layers. Training keeps them until the gradients are computed: they fill its memory."
        ),
    ),
    "mac": Term(
        Remark("MAC"),
        Remark(
            "A multiply-accumulate: one multiplication with a weight and one addition. We count those of one example."
        ),
    ),
    "flop": Term(
        Remark("FLOP"),
        Remark("A floating point operation, one multiplication or one addition: here 2 for each MAC. Not time."),
    ),
    "receptive field": Term(
        Remark("receptive field"),
        Remark("The part of the input that one value of a layer depends on, as the side of a square in pixels."),
    ),
    "width": Term(Remark("width"), Remark("How many channels the layers of a network have.")),
    "depth": Term(Remark("depth"), Remark("How many layers with weights a network has, one after the other.")),
    "byte": Term(
        Remark("byte"),
        Remark("A number in float32 takes 4 bytes. 1 MB is 1,000,000 bytes, 1 MiB is 1,048,576."),
    ),
    "sigmoid": Term(
        Remark("sigmoid"),
        Remark("1 / (1 + exp(−x)): between 0 and 1, and almost flat far from zero."),
    ),
    "relu": Term(Remark("ReLU"), Remark("max(0, x): nothing below zero, slope 1 above.")),
    "gradient": Term(
        Remark("gradient"),
        Remark("How the loss changes with each parameter. Backwards through the layers, their slopes multiply."),
    ),
    "dropout": Term(
        Remark("Dropout"),
        Remark("In training, sets a random part of the values to zero, so that no unit relies on a single other one."),
    ),
}
"""By the keys that tasks use."""
