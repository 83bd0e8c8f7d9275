"""Generate or load the design matrix and target of one LASSO problem."""

from ndgm.data.regression import load_design
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.arrays import write_data
from ndgm.store.provenance import generator

arguments = argument_parser(__doc__, "out").parse_args()
with program(arguments) as say:
    settings = arguments.settings
    data = load_design(settings["design"], generator(settings["root_seed"], "l1_paradox", settings["name"]))
    write_data(arguments.out, data)
    say(f"{arguments.out.stem}: {data.design.shape[0]} samples, {data.design.shape[1]} features")
