"""The frame of programs: their arguments, the functions that they are told to call, and faults in one line."""

from pathlib import Path

import pytest

from ndgm.pipeline.programs import argument_parser, function_of, program
from ndgm.store.files import InputError


def test_arguments_with_one_path_with_many_and_with_any_number():
    parser = argument_parser("text", "out", many=("tables",), any_number=("samples",))
    arguments = parser.parse_args(["--out", "a", "--tables", "b", "c", "--settings", '{"steps": 3}', "--samples"])
    assert (arguments.out, arguments.tables, arguments.samples) == (Path("a"), [Path("b"), Path("c")], [])
    assert arguments.settings == {"steps": 3}
    assert parser.parse_args(["--out", "a", "--tables", "b"]).samples == []
    for lacking in (["--out", "a"], ["--tables", "b"], ["--out", "a", "--tables"]):
        with pytest.raises(SystemExit):
            parser.parse_args(lacking)


def test_a_function_by_its_room_module_and_name():
    from ndgm.data.regression import gaussian

    assert function_of("data", "regression.gaussian") is gaussian
    with pytest.raises(AttributeError, match="nothing"):
        function_of("data", "regression.nothing")


def test_a_fault_of_the_input_is_one_line_in_the_log_too(tmp_path, capsys):
    arguments = argument_parser("text").parse_args(["--log", str(tmp_path / "logs/log")])
    with pytest.raises(SystemExit) as ended, program(arguments) as say:
        say("begins")
        raise InputError("data.npz: no such file")
    assert ended.value.code == 1
    assert capsys.readouterr().err == (tmp_path / "logs/log").read_text() == "begins\nerror: data.npz: no such file\n"
