"""Train the experiments of a job, and write a run table and a record for each; or train a shard of their ensembles.

Settings are those of each experiment, with its name and its `function`, as `module.function` in ndgm.experiments.
"""

from itertools import zip_longest

from ndgm.pipeline.programs import argument_parser, function_of, program


def main() -> None:
    """Run the program."""
    parser = argument_parser(__doc__, "settings", many=("out",), any_number=("samples", "reads", "weights", "shards"))
    parser.add_argument(
        "--shard", type=int, nargs=2, metavar=("NUMBER", "OF"), help="train every OF-th ensemble, into --shards"
    )
    arguments = parser.parse_args()
    with program(arguments, goes_on=True) as say:
        # Imported here, so that an interruption while PyTorch loads is one line too.
        from ndgm.experiments.determinism import deterministic_torch
        from ndgm.experiments.inputs import read_inputs
        from ndgm.experiments.training import Shard, Task, train_job, train_shard

        deterministic_torch(arguments.settings[0]["device"])
        results = zip_longest(arguments.out, arguments.weights)
        tasks = [
            Task(function_of("experiments", settings["function"]), settings, table, weights)
            for settings, (table, weights) in zip(arguments.settings, results, strict=True)
        ]
        files = {f"{path.parent.name}/{path.name}": path for path in [*arguments.samples, *arguments.reads]}
        inputs = read_inputs(arguments.samples, arguments.reads)
        if arguments.shard:
            train_shard(tasks, inputs, files, say, Shard(*arguments.shard), *arguments.shards)
        else:
            train_job(tasks, inputs, files, say, arguments.shards)


if __name__ == "__main__":
    main()
