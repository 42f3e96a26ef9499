"""Keras's layers are read where they compute the same as PyTorch's; the figures are those of Keras's own tables."""

import pytest
from written import calls

from vggexplorer.architectures import NETWORKS, Architecture, Block, Head, Network
from vggexplorer.errors import InputError
from vggexplorer.layers import (
    GELU,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Shape,
    SiLU,
    Tanh,
)
from vggexplorer.reading import keras
from vggexplorer.reading.values import TokenError
from vggexplorer.summary import summarize


def read(text: str, shape: Shape | None = None) -> tuple[Network, list[str]]:
    network, remarks = keras.network(calls(text), shape)
    return network, [str(remark) for remark in remarks]


def chain(text: str, shape: Shape | None = (1, 28, 28)) -> list[Layer]:
    return [place.layer for place in read(text, shape)[0].architecture.places()]


def vgg(convolutions: int, channels: int) -> str:
    conv = f"layers.Conv2D({channels}, (3, 3), activation='relu', padding='same', name='conv'), "
    return conv * convolutions + "layers.MaxPooling2D((2, 2), strides=(2, 2)), "


VGG16 = "layers.InputLayer(shape=(224, 224, 3)), "
VGG16 += vgg(2, 64) + vgg(2, 128) + vgg(3, 256) + vgg(3, 512) + vgg(3, 512)
VGG16 += (
    "layers.Flatten(name='flatten'), layers.Dense(4096, activation='relu'), layers.Dense(4096, activation='relu'), "
)
VGG16 += "layers.Dense(1000, activation='softmax')"
"""As in keras.src.applications.vgg16, which has no dropout."""
SOFTMAX = "The softmax at the end has no parameters and no MACs: it was left out."
BATCH_NORM = (
    "Keras counts the running means and variances of batch normalisation as parameters, too: they are not trained, and "
    "not counted here. Momentum and epsilon are PyTorch's."
)


@pytest.mark.parametrize(
    "text", [VGG16, f"keras.Sequential([{VGG16}], name='vgg16')", f"keras.Sequential(layers=[{VGG16}])"]
)
def test_kerass_vgg16(text: str) -> None:
    network, said = read(text)
    assert summarize(*network).totals.params == 138_357_544
    head = Head(dropout=0.0)
    assert network == Network(Architecture(NETWORKS["VGG-16"].architecture.items, head, 1000), (3, 224, 224))
    assert said == [SOFTMAX]


def test_the_books_lenet_in_tensorflow() -> None:
    text = """
    tf.keras.layers.Conv2D(filters=6, kernel_size=5, activation='sigmoid', padding='same'),
    tf.keras.layers.AvgPool2D(pool_size=2, strides=2),
    tf.keras.layers.Conv2D(filters=16, kernel_size=5, activation='sigmoid'),
    tf.keras.layers.AvgPool2D(pool_size=2, strides=2),
    tf.keras.layers.Flatten(),
    tf.keras.layers.Dense(120, activation='sigmoid'),
    tf.keras.layers.Dense(84, activation='sigmoid'),
    tf.keras.layers.Dense(10)"""
    assert read(f"tf.keras.models.Sequential([{text}])", (1, 28, 28)) == (NETWORKS["LeNet"], [])


def test_the_cnn_of_tensorflows_tutorial() -> None:
    """https://www.tensorflow.org/tutorials/images/cnn prints 122,570 parameters."""
    text = """
    layers.Conv2D(32, (3, 3), activation='relu', input_shape=(32, 32, 3)), layers.MaxPooling2D((2, 2)),
    layers.Conv2D(64, (3, 3), activation='relu'), layers.MaxPooling2D((2, 2)),
    layers.Conv2D(64, (3, 3), activation='relu'), layers.Flatten(), layers.Dense(64, activation='relu'),
    layers.Dense(10)"""
    network, said = read(text)
    assert (summarize(*network).totals.params, network.input_shape, said) == (122_570, (3, 32, 32), [])
    assert network.architecture.items[0] == Block(1, 32, padding=0)
    assert isinstance(network.architecture.head, Head)


def test_the_classifier_of_tensorflows_tutorial() -> None:
    """https://www.tensorflow.org/tutorials/images/classification prints 3,989,285 parameters."""
    text = """
    layers.Rescaling(0.00392, input_shape=(180, 180, 3)),
    layers.Conv2D(16, 3, padding='same', activation='relu'), layers.MaxPooling2D(),
    layers.Conv2D(32, 3, padding='same', activation='relu'), layers.MaxPooling2D(),
    layers.Conv2D(64, 3, padding='same', activation='relu'), layers.MaxPooling2D(),
    layers.Flatten(), layers.Dense(128, activation='relu'), layers.Dense(5)"""
    network, said = read(text)
    assert (summarize(*network).totals.params, network.input_shape) == (3_989_285, (3, 180, 180))
    assert said == ["Rescaling prepares the pictures for the network: it was left out."]


END = "layers.GlobalAveragePooling2D(), layers.Dense(10)"
AVERAGE = [AdaptiveAvgPool2d(1), Flatten(), Linear(10)]
READ: list[tuple[str, list[Layer]]] = [
    ("layers.Conv2D(8, 3)", [Conv2d(8)]),
    ("layers.Conv2D(8, 5, 2, 'valid', None, 1, 1, 'tanh', False)", [Conv2d(8, 5, 2, bias=False), Tanh()]),
    ("layers.Conv2D(8, 3, dilation_rate=2, padding='same')", [Conv2d(8, 3, 1, 2, 2)]),
    ("layers.Conv2D(8, 2, strides=2, padding='same')", [Conv2d(8, 2, 2)]),
    ("layers.Conv2D(8, 1, strides=3, padding='same')", [Conv2d(8, 1, 3)]),
    ("layers.Conv2D(8, 4), layers.Conv2D(9, 3, strides=2, padding='same')", [Conv2d(8, 4), Conv2d(9, 3, 2, 1)]),
    ("layers.Conv2D(8, 3, activation=tf.nn.relu)", [Conv2d(8), ReLU()]),
    ("layers.Conv2D(8, 3, activation=layers.LeakyReLU(alpha=0.1))", [Conv2d(8), LeakyReLU(0.1)]),
    ("layers.Conv2D(8, 3), layers.LeakyReLU()", [Conv2d(8), LeakyReLU(0.3)]),
    ("layers.Conv2D(8, 3), layers.Activation('leaky_relu')", [Conv2d(8), LeakyReLU(0.2)]),
    ("layers.Conv2D(8, 3), layers.Activation('gelu')", [Conv2d(8), GELU()]),
    ("layers.Conv2D(8, 3), layers.Activation('swish')", [Conv2d(8), SiLU()]),
    ("layers.Conv2D(8, 3, activation='linear'), layers.ReLU()", [Conv2d(8), ReLU()]),
    ("layers.ZeroPadding2D((1, 1)), layers.Conv2D(8, (3, 3))", [Conv2d(8, 3, 1, 1)]),
    ("layers.ZeroPadding2D(), layers.Conv2D(8, 3, padding='same')", [Conv2d(8, 3, 1, 2)]),
    ("layers.MaxPool2D()", [MaxPool2d(2, 2)]),
    ("layers.MaxPooling2D(3, strides=2)", [MaxPool2d(3, 2)]),
    ("layers.MaxPooling2D(padding='same')", [MaxPool2d(2, 2)]),
    ("layers.MaxPooling2D(3, 1, 'same')", [MaxPool2d(3, 1, 1)]),
    ("layers.AveragePooling2D(3, 3, padding='valid')", [AvgPool2d(3, 3)]),
    ("layers.AveragePooling2D(3, 1, 'same')", [AvgPool2d(3, 1, 1, count_include_pad=False)]),
    ("layers.BatchNormalization()", [BatchNorm2d()]),
    ("layers.BatchNormalization(axis=3, momentum=0.9)", [BatchNorm2d()]),
    ("layers.Dropout(rate=0.25)", [Dropout(0.25)]),
]


@pytest.mark.parametrize(("text", "layers"), READ, ids=[text for text, _ in READ])
def test_layers_that_are_the_same_in_pytorch(text: str, layers: list[Layer]) -> None:
    assert chain(f"{text}, {END}") == [*layers, *AVERAGE]


def test_layers_behind_flatten() -> None:
    text = "layers.Conv2D(8, 3), layers.GlobalAveragePooling2D(keepdims=True), layers.Flatten(), layers.Flatten(), "
    text += "layers.Dense(9, use_bias=False), layers.BatchNormalization(axis=1), layers.Dense(10), layers.Softmax()"
    assert chain(text) == [Conv2d(8), *AVERAGE[:2], Linear(9, False), BatchNorm1d(), Linear(10)]


def test_what_has_no_counterpart_is_said() -> None:
    text = (
        "layers.Conv2D(8, 3, kernel_initializer='he_normal', kernel_regularizer=l2(5e-4)), layers.BatchNormalization()"
    )
    assert read(f"{text}, {END}")[1] == [
        "How layers begin and are regularised was left out: kernel_initializer, kernel_regularizer.",
        BATCH_NORM,
        "The text does not say its input; this was taken: 1×224×224.",
    ]


REFUSED = [
    (
        "layers.Conv2D(8, 3, strides=2, padding='same')",
        "'same'",
        "for 1×28×28 the padding “same” is not as wide on all",
    ),
    ("layers.Conv2D(8, 4, padding='same')", "'same'", "for 1×28×28 the padding “same” is not as wide on all sides"),
    ("layers.MaxPooling2D(3, 2, 'same')", "'same'", "for 1×28×28 the padding “same” is not as wide on all sides"),
    ("layers.Conv2D(8, 3, padding='causal')", "'causal'", "padding can only be “valid”, “same” here, not “causal”."),
    (
        "layers.Conv2D(8, 3, data_format='channels_first')",
        "'channels_first'",
        "data_format can only be None, “channels_last” here",
    ),
    ("layers.Conv2D(8, (3, 5))", "(3, 5)", "kernel_size must be the same for height and width, not [3, 5]."),
    ("layers.Conv2D(0, 3)", "0", "the number of output channels must be from 1 to 65,536, not 0."),
    ("layers.Conv2D(8, 3, activation='elu')", "'elu'", "“elu” is not one of the activations that can be said here:"),
    ("layers.Conv2D(8, 3, activation=abs)", "abs", "“abs” is not one of the activations that can be said here:"),
    ("layers.Conv2D(8, 3, activation=layers.Dense(3))", "layers.Dense(3)", "… is not one of the activations"),
    ("layers.Conv2D(8, 3, activation='softmax')", "layers.Conv2D(8, 3, activation='softmax')", "a softmax can only be"),
    ("layers.Conv2D(8, 29)", "layers.Conv2D(8, 29)", "its 29×29 window (padding 0) is larger than the 28×28 that"),
    ("layers.Conv2D(8, 3, trainable=False)", "False", "“Conv2D” has no argument “trainable”; there are filters"),
    ("layers.BatchNormalization(axis=1)", "1", "axis can only be -1, 3 here, not 1."),
    ("layers.BatchNormalization(scale=False)", "False", "scale can only be True here, not False."),
    ("layers.ZeroPadding2D(1), layers.ReLU()", "layers.ZeroPadding2D(1)", "zeros around the maps can only be read"),
    ("layers.ReLU(max_value=6)", "6", "max_value can only be None here, not 6."),
    ("layers.Dense(9)", "layers.Dense(9)", "Linear needs a flat vector, but 1×28×28 reaches it."),
    (
        "layers.SeparableConv2D(8, 3)",
        "layers.SeparableConv2D(8, 3)",
        "“layers.SeparableConv2D” is not one of the layers",
    ),
    ("layers.Input(shape=(784,))", "(784,)", "an input has height, width and channels in Keras, as in (224, 224, 3)"),
    ("layers.Input((None, None, 3))", "(None, None, 3)", "the input height must be a whole number, not None."),
]


@pytest.mark.parametrize(("text", "token", "sentence"), REFUSED, ids=[text for text, *_ in REFUSED])
def test_what_cannot_be_said_is_refused_where_it_is_written(text: str, token: str, sentence: str) -> None:
    with pytest.raises(TokenError) as caught:
        read(f"{text}, {END}", (1, 28, 28))
    assert caught.value.token == (1, text.rindex(token) + 1, token)
    assert str(caught.value.values["reason"]).startswith(sentence)


def test_no_layers_are_no_network() -> None:
    with pytest.raises(InputError, match="needs at least one block"):
        read("layers.Input((28, 28, 1))")
