"""Generate or load the data of one entry of the config's table of samples.

Settings are the `function` that does it, as `module.function` in ndgm.data, its `options`, and the `root_seed`.
"""

from ndgm.pipeline.programs import argument_parser, function_of, program


def main() -> None:
    """Run the program."""
    arguments = argument_parser(__doc__, "settings", "out").parse_args()
    with program(arguments) as say:
        # Imported here, so that an interruption while NumPy loads is one line too.
        from ndgm.store.arrays import write_data
        from ndgm.store.files import InputError
        from ndgm.store.provenance import generator

        settings, out = arguments.settings, arguments.out
        # In digits_cross_entropy, say, the first word is the kind of data and the rest the problem.
        rng = generator(settings["root_seed"], out.parent.name, out.stem.replace("_", " ", 1))
        try:
            data = function_of("data", settings["function"])(rng, **settings["options"])
        except InputError as fault:
            raise InputError(f"samples.{out.parent.name}.{out.stem}: {fault}") from None
        write_data(out, data)
        shapes = [f"{name} {' × '.join(map(str, array.shape))}" for name, array in data._asdict().items()]
        say(f"{out.parent.name}/{out.stem}: {', '.join(shapes)}")


if __name__ == "__main__":
    main()
