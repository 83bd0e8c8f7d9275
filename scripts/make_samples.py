"""Generate or load the inputs and targets of one problem that networks are trained on."""

from ndgm.data.networks import SAMPLERS
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.arrays import write_data
from ndgm.store.provenance import generator

arguments = argument_parser(__doc__, "out").parse_args()
with program(arguments) as say:
    settings = arguments.settings
    rng = generator(settings["root_seed"], settings["experiment"], settings["name"])
    data = SAMPLERS[settings["data"]](rng, **settings["samples"])
    write_data(arguments.out, data)
    say(f"{arguments.out.stem}: {data.inputs.shape[0]} samples, {data.inputs.shape[1]} features")
