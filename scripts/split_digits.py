"""Cut scikit-learn's handwritten digits into pictures to train on and pictures to test on."""

from ndgm.data.networks import split_digits
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.arrays import write_data
from ndgm.store.provenance import generator

arguments = argument_parser(__doc__, many=("out",)).parse_args()
with program(arguments) as say:
    settings = arguments.settings
    rng = generator(settings["root_seed"], "l1_paradox_networks", "split")
    for out, data in zip(arguments.out, split_digits(rng, test=settings["test"]), strict=True):
        write_data(out, data)
        say(f"{out.stem}: {len(data.inputs)} pictures")
