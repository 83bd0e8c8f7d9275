"""The colours and markers of every figure and page."""

from collections.abc import Mapping
from zlib import crc32

INK = "#1a1a1a"
"""Text, axes and predictions. The web page turns this colour light when the reader's screen is dark."""

PAPER = "#ffffff"
"""The background. The web page turns this colour dark when the reader's screen is dark."""

OKABE_ITO = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Six colours that colour-blind readers tell apart. Source: Okabe and Ito (2008), without black and yellow."""


class Looks(dict[str, str]):
    """Colour or marker by method; an unlisted method gets a spare chosen by the checksum of its name."""

    def __init__(self, entries: Mapping[str, str], spare: tuple[str, ...]) -> None:
        """Looks by method, and the spare ones for methods that are not among the entries."""
        super().__init__(entries)
        self.spare = spare

    def __missing__(self, method: str) -> str:
        """The look of a method without an entry: the checksum of its name picks, whatever other methods there are."""
        return self.spare[crc32(method.encode()) % len(self.spare)]


COLOURS = Looks(
    {
        "prediction": INK,
        "smooth": "#50657d",
        "kinked": "#d55e00",
        "subgradient": "#d55e00",
        "subgradient_sqrt": "#f0a077",
        "subgradient_inverse_sqrt": "#f0a077",
        "subgradient_geometric": "#994433",
        "polyak": "#882255",
        "averaged": "#999933",
        "best": "#003f7f",
        "heavy_ball": "#e69f00",
        "proximal": "#0072b2",
        "ista": "#0072b2",
        "fista": "#56b4e9",
        "truncated_gradient": "#573cdd",
        "rmsprop": "#009e73",
        "rmsprop_0.9": "#8cd1bd",
        "rmsprop_0.99": "#009e73",
        "rmsprop_0.999": "#005212",
        "adam": "#cc79a7",
        "amsgrad": "#57054d",
        "adam_decoupled": "#d926bf",
        "proximal_adam": "#73bfd9",
        "spred": "#bf734d",
    },
    spare=("#000088", "#2299ff", "#ff8899", "#663333", "#336600", "#22bb66"),
)
"""One colour a method, in every figure: Okabe and Ito's, and darker or lighter tones of them for variants.

What has a kink is drawn as subgradient descent is, what has none as `smooth`; `best` is the best iterate so far. A
method that has no entry gets a spare colour, which no entry has.
"""

MARKERS = Looks(
    {
        "smooth": "s",
        "kinked": "o",
        "subgradient": "o",
        "subgradient_sqrt": "v",
        "subgradient_inverse_sqrt": "v",
        "subgradient_geometric": "^",
        "polyak": ">",
        "averaged": "d",
        "best": "<",
        "heavy_ball": "s",
        "proximal": "D",
        "ista": "D",
        "fista": "P",
        "truncated_gradient": "X",
        "rmsprop": "p",
        "rmsprop_0.9": "v",
        "rmsprop_0.99": "p",
        "rmsprop_0.999": "^",
        "adam": "h",
        "amsgrad": "H",
        "adam_decoupled": "8",
        "proximal_adam": "d",
        "spred": "*",
    },
    spare=("v", "^", "<", ">", "X", "8", "*"),
)
"""One marker a method, so that colour is never the only difference.

The spare ones are seven, and the spare colours six, so that all 42 pairs come up; no entry above has one of the pairs.
"""
